// The interests of users computed from all their events: those that are new or differ from the stored ones, and those that no event supports any more.
// score(u, t) = sum over events of weight(type) * m(value) * weight(object, tag) * 2^(-(last_at - ts) / half-life), as of the pair's own latest event; the weight of an ancestor tag is the largest at or below it, so an event counts once per tag.
// Parameters:
//   user_ids (list of text): whose
//   rules (map): relationship type -> {weight, value, neutral} of the vocabulary
//   short_rate (float, per ms): ln 2 / short half-life
//   long_rate (float, per ms): ln 2 / long half-life
// Columns:
//   user_id (text): of a user with differences
//   interests (list of [kind, name, {short, long, events, first_at, last_at, direct}]): null instead of the map where none is left
CALL {
  UNWIND $user_ids AS user_id
  MATCH (u:User {id: user_id})-[e:EVENT_TYPES]->(o)
  WITH o, collect([user_id, e.ts, $rules[type(e)].weight * CASE $rules[type(e)].value
         WHEN 'rating' THEN e.value - $rules[type(e)].neutral
         WHEN 'amount' THEN CASE WHEN e.value IS NULL THEN 1.0 ELSE log(1.0 + abs(e.value)) END
         ELSE 1.0 END]) AS uses
  MATCH (o)-[h:HAS_TAG]->(d:Tag)-[:PART_OF*0..16]->(t:Tag)
  WITH o, t, head(collect(uses)) AS uses, max(h.weight) AS weight, max(CASE WHEN d = t THEN 1 ELSE 0 END) AS direct
  UNWIND uses AS use
  WITH use[0] AS user_id, t, direct, use[1] AS ts, weight * use[2] AS contribution
  WITH user_id, t, max(ts) AS last_at, min(ts) AS first_at, count(*) AS events, max(direct) AS direct,
       collect([ts, contribution]) AS parts
  RETURN user_id, t, null AS r, {
    last_at: last_at, first_at: first_at, events: events, direct: direct = 1,
    short: reduce(s = 0.0, p IN parts | s + p[1] * exp((p[0] - last_at) * $short_rate)),
    long: reduce(s = 0.0, p IN parts | s + p[1] * exp((p[0] - last_at) * $long_rate))} AS now
  UNION ALL
  UNWIND $user_ids AS user_id
  MATCH (u:User {id: user_id})-[r:INTERESTED_IN]->(t:Tag)
  RETURN user_id, t, r, null AS now
}
WITH user_id, t, collect(r)[0] AS r, collect(now)[0] AS now
WHERE r IS NULL OR now IS NULL OR r.events <> now.events OR r.last_at <> now.last_at OR r.first_at <> now.first_at
   OR r.direct <> now.direct OR r.short <> now.short OR r.long <> now.long
RETURN user_id, collect([t.kind, t.name, now]) AS interests
