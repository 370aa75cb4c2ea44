// The time of the newest event in the store.
// Columns:
//   newest_ts (int, epoch ms): or null in an empty store
MATCH (b:Batch)
RETURN max(b.newest_ts) AS newest_ts
