// Which of these users have a positive interest in a tag, of a least score, or of a least share.
// Parameters:
//   ids (list of text): of the users
//   kind (text): of the tag
//   name (text): of the tag
//   least_score (float): as of `as_of`; null where it does not matter
//   least_share (float, 0 to 1): of the user's positive interest in direct tags of this kind; null where it does not matter
//   as_of (int, epoch ms): the moment scores are read at
//   half_life_days (float, days): of long-term interests
// Columns:
//   id (text): of the user
UNWIND $ids AS id
MATCH (u:User {id: id})-[r:INTERESTED_IN]->(:Tag {kind: $kind, name: $name})
WITH id, u, r, $half_life_days * 86400000.0 AS half_life_ms
WHERE r.long > 0 AND ($least_score IS NULL OR r.long * 2.0 ^ ((r.last_at - $as_of) / half_life_ms) >= $least_score)
WITH id, r.long AS strength, CASE WHEN $least_share IS NULL THEN null ELSE
  reduce(sum = 0.0, part IN [(u)-[d:INTERESTED_IN]->(t:Tag) WHERE d.direct AND d.long > 0 AND t.kind = $kind |
    d.long * 2.0 ^ ((d.last_at - r.last_at) / half_life_ms)] | sum + part) END AS total
WHERE $least_share IS NULL OR (total > 0 AND strength / total >= $least_share)
RETURN id
