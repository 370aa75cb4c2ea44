// The time of the newest event in the store: of batches that ended, and of those under way.
// Columns:
//   newest_ts (int, epoch ms): or null
MATCH (b:Batch)
RETURN max(b.newest_ts) AS newest_ts
UNION ALL
MATCH (l:BatchLane)
RETURN max(l.newest_ts) AS newest_ts
