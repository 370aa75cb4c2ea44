// Which interests go together?
// Pairs among the `tags` commonest direct tags. `support` is the part of all people with interests who have both; `lift`
// compares that with what chance would have: above 1 the two go together. Reads the stored interests, as `tags` left
// them; only positive ones count. Costs at most people x tags², so `tags` is what bounds it.
// Group: content
// Chart: graph, source tag, target other_tag, value lift
// Parameters:
//   kind (tag kind, default any): only tags of this kind
//   tags (int, tags, at least 2, at most 200, default 30): tags looked at
//   min_users (int, users, at least 1, default 2): leave out pairs that fewer people have
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   kind (text): of the commoner tag
//   tag (text): its name
//   other_kind (text): of the rarer tag
//   other_tag (text): its name
//   users (int): people interested in both
//   support (float, 0 to 1): of all people with interests
//   confidence (float, 0 to 1): of those with the rarer tag, who have the commoner as well
//   lift (float): support over what chance would have
MATCH (u:User)
WHERE EXISTS { (u)-[:INTERESTED_IN]->(:Tag) }
WITH count(u) AS interested
MATCH (t:Tag)
WHERE t.interest_direct > 0 AND ($kind IS NULL OR t.kind = $kind)
WITH interested, t
ORDER BY t.interest_direct DESC, t.kind, t.name
LIMIT $tags
WITH interested, t, COUNT { (t)<-[r:INTERESTED_IN]-(:User) WHERE r.direct AND r.long > 0 } AS users
ORDER BY users DESC, t.kind, t.name
WITH interested, collect([t.kind, t.name, users]) AS top
CALL (top) {
  UNWIND range(0, size(top) - 1) AS rank
  WITH rank, top[rank][0] AS kind, top[rank][1] AS name
  MATCH (:Tag {kind: kind, name: name})<-[r:INTERESTED_IN]-(u:User)
  WHERE r.direct AND r.long > 0
  WITH u, collect(rank) AS ranks
  UNWIND ranks AS a
  UNWIND ranks AS b
  WITH a, b
  WHERE a < b
  RETURN a, b, count(*) AS users
}
WITH interested, users, top[a] AS x, top[b] AS y
WHERE users >= $min_users
RETURN x[0] AS kind, x[1] AS tag, y[0] AS other_kind, y[1] AS other_tag, users, toFloat(users) / interested AS support,
       toFloat(users) / y[2] AS confidence, toFloat(users) * interested / (toFloat(x[2]) * y[2]) AS lift
ORDER BY lift DESC, users DESC, kind, tag, other_kind, other_tag
LIMIT $limit
