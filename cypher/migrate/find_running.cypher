// Batches that wrote something a moment ago, by a program of any schema version.
// Parameters:
//   since (int, epoch ms): a moment ago
// Columns:
//   id (text): of the batch
MATCH (b:Batch)
WHERE b.state IN ['running', 'undoing']
OPTIONAL MATCH (l:BatchLane {batch: b.id})
WITH b, coalesce(max(l.written_at), b.last_write_at, b.started_at) AS written_at
WHERE written_at > $since
RETURN b.id AS id
ORDER BY id
