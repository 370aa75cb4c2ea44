// Add to the totals of tags what the recomputed users changed: whole numbers, so that the order doesn't matter.
// Parameters:
//   rows (list of [kind, name, events, direct]): differences, sorted by tag
UNWIND $rows AS r
MATCH (t:Tag {kind: r[0], name: r[1]})
SET t.interest_events = coalesce(t.interest_events, 0) + r[2],
    t.interest_direct = coalesce(t.interest_direct, 0) + r[3]
