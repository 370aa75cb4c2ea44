// Makes User.id unique.
// Parameters: none
// Columns: none
CREATE CONSTRAINT IF NOT EXISTS FOR (n:User) REQUIRE n.id IS UNIQUE
