// Makes Content.id unique.
// Parameters: none
// Columns: none
CREATE CONSTRAINT IF NOT EXISTS FOR (n:Content) REQUIRE n.id IS UNIQUE
