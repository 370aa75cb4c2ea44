// How many rows all batches together have brought: events and descriptions.
// Columns:
//   rows (int): of batches that were not undone
MATCH (b:Batch)
WHERE b.state <> 'undone'
RETURN coalesce(sum(b.applied), 0) AS rows
