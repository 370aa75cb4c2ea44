// Makes Batch.id unique.
// Parameters: none
// Columns: none
CREATE CONSTRAINT IF NOT EXISTS FOR (n:Batch) REQUIRE n.id IS UNIQUE
