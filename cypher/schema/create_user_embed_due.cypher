// Finds the nodes labelled User whose vector has to be computed again.
// Parameters: none
// Columns: none
CREATE INDEX IF NOT EXISTS FOR (n:User) ON (n.embed_due)
