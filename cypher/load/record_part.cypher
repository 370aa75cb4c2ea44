// Note what one transaction of a batch brought, in that same transaction.
// Parameters:
//   id (text): of the part, below the batch's
//   properties (map): batch, file, kind, at, counts of rows and claims
//   lane (text): the writer's lane
CREATE (p:BatchPart {id: $id})
SET p += $properties
WITH p
MATCH (l:BatchLane {id: $lane})
SET l.written_at = p.at,
    l.newest_ts = CASE WHEN l.newest_ts IS NULL OR p.newest_ts > l.newest_ts THEN p.newest_ts ELSE l.newest_ts END
