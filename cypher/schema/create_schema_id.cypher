// Makes Schema.id unique.
// Parameters: none
// Columns: none
CREATE CONSTRAINT IF NOT EXISTS FOR (n:Schema) REQUIRE n.id IS UNIQUE
