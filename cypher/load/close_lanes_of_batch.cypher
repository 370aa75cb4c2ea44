// Take all lanes of a batch away: who held one cannot write any more.
// Parameters:
//   batch (text): id of the batch
MATCH (l:BatchLane {batch: $batch})
DELETE l
