// Makes BatchPart.id unique.
// Parameters: none
// Columns: none
CREATE CONSTRAINT IF NOT EXISTS FOR (n:BatchPart) REQUIRE n.id IS UNIQUE
