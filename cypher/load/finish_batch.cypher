// Close a batch record with the sums over its parts.
// Parameters:
//   id (text): of the batch
//   properties (map): state, finished_at and counts
MATCH (b:Batch {id: $id})
SET b += $properties
