// Makes BatchLane.id unique.
// Parameters: none
// Columns: none
CREATE CONSTRAINT IF NOT EXISTS FOR (n:BatchLane) REQUIRE n.id IS UNIQUE
