// What everybody's interests come to by kind of tag: the base of lift, written beside the tags with its time.
// Parameters:
//   now (int, epoch ms): when it was computed
// Columns:
//   kind (text): of the tags
MATCH (t:Tag)
WHERE t.interest_direct > 0
WITH t.kind AS kind, sum(t.interest_direct) AS direct, count(t) AS tags
MERGE (k:TagKind {kind: kind})
SET k.interest_direct = direct, k.tags = tags, k.computed_at = $now
RETURN k.kind AS kind
