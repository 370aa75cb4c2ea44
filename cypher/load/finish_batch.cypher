// Close a batch record.
// Parameters:
//   id (text): of the batch
//   state (text): done | failed
//   finished_at (int, epoch ms): now
MATCH (b:Batch {id: $id})
SET b.state = $state, b.finished_at = $finished_at
