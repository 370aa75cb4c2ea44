// Give the writers of a batch their lanes: who holds a lane is the one who may write in it.
// Parameters:
//   lanes (list of text): ids of the lanes, sorted
//   batch (text): id of the batch
//   writer (text): the process that writes
//   now (int, epoch ms): the present
UNWIND $lanes AS id
MERGE (l:BatchLane {id: id})
ON CREATE SET l.batch = $batch, l.writes = 0
SET l.writer = $writer, l.written_at = $now
