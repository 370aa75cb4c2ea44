// Batches that are being undone.
// Columns:
//   id (text): of the batch
MATCH (b:Batch {state: 'undoing'})
RETURN b.id AS id
