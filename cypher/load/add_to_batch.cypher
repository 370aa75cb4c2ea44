// Add one transaction's counts to the batch, in that same transaction.
// Parameters:
//   id (text): of the batch
//   now (int, epoch ms): time of this transaction
//   read (int): rows
//   applied (int): rows
//   duplicates (int): rows
//   conflicts (int): rows
//   quarantined (int): rows
//   late (int): rows among the applied
//   newest_ts (int, epoch ms): newest applied event, or null
//   oldest_ts (int, epoch ms): oldest applied event, or null
MATCH (b:Batch {id: $id})
SET b.last_write_at = $now,
    b.read = b.read + $read,
    b.applied = b.applied + $applied,
    b.duplicates = b.duplicates + $duplicates,
    b.conflicts = b.conflicts + $conflicts,
    b.quarantined = b.quarantined + $quarantined,
    b.late = b.late + $late,
    b.newest_ts = CASE WHEN b.newest_ts IS NULL OR $newest_ts > b.newest_ts THEN $newest_ts ELSE b.newest_ts END,
    b.oldest_ts = CASE WHEN b.oldest_ts IS NULL OR $oldest_ts < b.oldest_ts THEN $oldest_ts ELSE b.oldest_ts END
