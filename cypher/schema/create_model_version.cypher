// Makes Model.version unique.
// Parameters: none
// Columns: none
CREATE CONSTRAINT IF NOT EXISTS FOR (n:Model) REQUIRE n.version IS UNIQUE
