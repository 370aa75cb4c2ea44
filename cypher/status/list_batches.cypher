// The last batches, newest first.
// Parameters:
//   limit (int): at most so many
// Columns:
//   batch (map): all properties
MATCH (b:Batch)
RETURN properties(b) AS batch
ORDER BY b.started_at DESC, b.id DESC
LIMIT $limit
