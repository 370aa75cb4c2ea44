// Take a batch over in order to undo it, unless somebody else was faster.
// Parameters:
//   id (text): of the batch
//   old (text): the process that wrote it last, or an empty text
//   new (text): the process that undoes it
// Columns:
//   id (text): of the batch, no row where somebody else was faster
MATCH (b:Batch {id: $id})
WHERE coalesce(b.writer, '') = $old
SET b.writer = $new, b.state = 'undoing'
RETURN b.id AS id
