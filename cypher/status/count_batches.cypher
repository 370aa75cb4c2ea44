// How many batches there are.
// Columns:
//   batches (int): in all
MATCH (b:Batch)
RETURN count(b) AS batches
