// Begin a batch record; waits for those who change what all batches see.
// Parameters:
//   id (text): of the batch
//   properties (map): source, loader, kind, started_at and what tells the same command again
MERGE (f:BatchLane {id: ''})
SET f.writes = coalesce(f.writes, 0) + 1
MERGE (b:Batch {id: $id})
ON CREATE SET b += $properties
