// Begin a batch record.
// Parameters:
//   id (text): of the batch
//   properties (map): source, loader, kind, started_at and zeroed counts
MERGE (b:Batch {id: $id})
ON CREATE SET b += $properties
