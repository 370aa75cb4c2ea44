// Finds the users whose interests have to be computed again.
// Parameters: none
// Columns: none
CREATE INDEX IF NOT EXISTS FOR (n:User) ON (n.tags_due)
