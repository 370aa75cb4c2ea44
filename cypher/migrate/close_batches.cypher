// Note on batches of schema version 1 that they cannot be undone: what they changed was not recorded.
// Parameters:
//   limit (int): batches at most
// Columns:
//   batches (int): noted
MATCH (b:Batch)
WHERE b.undoable IS NULL
WITH b LIMIT $limit
SET b.undoable = false
RETURN count(b) AS batches
