// Batches that wrote something a moment ago.
// Parameters:
//   since (int, epoch ms): a moment ago
// Columns:
//   id (text): of the batch
MATCH (b:Batch)
WHERE b.state = 'running' AND coalesce(b.last_write_at, b.started_at) > $since
RETURN b.id AS id
ORDER BY id
