// Batches, newest first.
// Parameters:
//   before_at (int, epoch ms): only those that began earlier, or then and with a smaller id
//   before_id (text): as said
//   limit (int): at most so many
// Columns:
//   batch (map): all properties
MATCH (b:Batch)
WITH b, coalesce(b.started_at, 0) AS at
WHERE at < $before_at OR (at = $before_at AND b.id < $before_id)
WITH b, at
ORDER BY at DESC, b.id DESC
LIMIT $limit
RETURN properties(b) AS batch
ORDER BY at DESC, b.id DESC
