// Makes a withdrawn event unique by its type and id together.
// Parameters: none
// Columns: none
CREATE CONSTRAINT IF NOT EXISTS FOR (n:Retracted) REQUIRE (n.type, n.event_id) IS UNIQUE
