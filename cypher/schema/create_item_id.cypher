// Makes Item.id unique.
// Parameters: none
// Columns: none
CREATE CONSTRAINT IF NOT EXISTS FOR (n:Item) REQUIRE n.id IS UNIQUE
