// Finds the nodes labelled Content whose vector has to be computed again.
// Parameters: none
// Columns: none
CREATE INDEX IF NOT EXISTS FOR (n:Content) ON (n.embed_due)
