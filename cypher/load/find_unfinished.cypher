// Batches of the same command that did not come to their end.
// Parameters:
//   command (text): what tells the same command again
// Columns:
//   id (text): of the batch
//   writer (text): the process that wrote it last
//   state (text): running | failed
//   started_at (int, epoch ms): begin of the batch
//   written_at (int, epoch ms): last sign of life, or null
MATCH (b:Batch {command: $command})
WHERE b.state IN ['running', 'failed']
OPTIONAL MATCH (l:BatchLane {batch: b.id})
RETURN b.id AS id, b.writer AS writer, b.state AS state, b.started_at AS started_at, max(l.written_at) AS written_at
ORDER BY started_at DESC
