// The record of a batch.
// Parameters:
//   id (text): of the batch
// Columns:
//   batch (map): all properties
MATCH (b:Batch {id: $id})
RETURN properties(b) AS batch
