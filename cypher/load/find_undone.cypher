// Which of these batches are undone, or begun to be.
// Parameters:
//   ids (list of text): of batches
// Columns:
//   id (text): of such a batch
MATCH (b:Batch)
WHERE b.id IN $ids AND b.state IN ['undone', 'undoing']
RETURN b.id AS id
