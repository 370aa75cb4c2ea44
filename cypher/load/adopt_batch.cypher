// Go on with a batch that another process left behind, unless somebody else was faster.
// Parameters:
//   id (text): of the batch
//   old (text): the process that left it
//   new (text): the process that goes on
// Columns:
//   id (text): of the batch, no row where somebody else was faster
MATCH (b:Batch {id: $id})
WHERE b.writer = $old AND b.state IN ['running', 'failed']
SET b.writer = $new, b.state = 'running', b.resumed = coalesce(b.resumed, 0) + 1
RETURN b.id AS id
