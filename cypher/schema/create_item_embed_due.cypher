// Finds the nodes labelled Item whose vector has to be computed again.
// Parameters: none
// Columns: none
CREATE INDEX IF NOT EXISTS FOR (n:Item) ON (n.embed_due)
