// What the rows of the latest finished batches of one sort of source looked like, newest first.
// Parameters:
//   way (text): what tells the sort of source
//   before (int, epoch ms): only batches that began earlier
//   limit (int): at most so many
// Columns:
//   id (text): of the batch
//   source (text): what it read, for people
//   started_at (int, epoch ms): begin of the batch
//   quality (text): its record, packed
MATCH (b:Batch {state: 'done'})
WHERE b.way = $way AND b.quality IS NOT NULL AND b.started_at < $before
RETURN b.id AS id, b.source AS source, b.started_at AS started_at, b.quality AS quality
ORDER BY started_at DESC, id DESC
LIMIT $limit
