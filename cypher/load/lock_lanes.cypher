// Lock all lanes, so that no load writes and none begins until this transaction ends.
MERGE (f:BatchLane {id: ''})
SET f.writes = coalesce(f.writes, 0) + 1
WITH f
MATCH (l:BatchLane)
WITH l ORDER BY l.id
SET l.writes = coalesce(l.writes, 0) + 1
