// Makes a tag unique by its kind and name together.
// Parameters: none
// Columns: none
CREATE CONSTRAINT IF NOT EXISTS FOR (n:Tag) REQUIRE (n.kind, n.name) IS UNIQUE
