// The counts of a batch: the sums over its parts.
// Parameters:
//   first (text): lower bound of their ids
//   last (text): upper bound of their ids
// Columns:
//   read (int): rows
//   applied (int): rows
//   duplicates (int): rows
//   conflicts (int): rows
//   quarantined (int): rows
//   late (int): rows among the applied
//   replaced (int): rows among the applied that took the place of a stored event
//   newest_ts (int, epoch ms): newest applied event, or null
//   oldest_ts (int, epoch ms): oldest applied event, or null
//   last_write_at (int, epoch ms): time of the last of them
MATCH (p:BatchPart)
WHERE p.id > $first AND p.id < $last
RETURN sum(p.read) AS read, sum(p.applied) AS applied, sum(p.duplicates) AS duplicates,
  sum(p.conflicts) AS conflicts, sum(p.quarantined) AS quarantined, sum(p.late) AS late,
  sum(p.replaced) AS replaced, max(p.newest_ts) AS newest_ts, min(p.oldest_ts) AS oldest_ts,
  max(p.at) AS last_write_at
