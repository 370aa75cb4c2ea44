// Widen the time span of batches that events were handed over to.
// Parameters:
//   rows (list of [batch, newest ts, oldest ts]): epoch ms
UNWIND $rows AS r
MATCH (b:Batch {id: r[0]})
SET b.newest_ts = CASE WHEN b.newest_ts IS NULL OR r[1] > b.newest_ts THEN r[1] ELSE b.newest_ts END,
    b.oldest_ts = CASE WHEN b.oldest_ts IS NULL OR r[2] < b.oldest_ts THEN r[2] ELSE b.oldest_ts END
