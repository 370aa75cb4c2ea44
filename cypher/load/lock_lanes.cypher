// Lock all lanes, so that no load writes and none begins until this transaction ends.
// Columns:
//   id (text): of the lane
//   writes (int): transactions in it so far
MERGE (f:BatchLane {id: ''})
SET f.locks = coalesce(f.locks, 0) + 1
WITH f
MATCH (l:BatchLane)
WITH l ORDER BY l.id
SET l.locks = coalesce(l.locks, 0) + 1
RETURN l.id AS id, l.writes AS writes
