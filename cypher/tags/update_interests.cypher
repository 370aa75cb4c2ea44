// Bring the interests of locked users up to date from all their events: write those that are new or differ, remove those that no event supports any more.
// score(u, t) = sum over events of weight(type) * m(value) * weight(object, tag) * 2^(-(last_at - ts) / half-life), as of the pair's own latest event; the weight of an ancestor tag is the largest at or below it, so an event counts once per tag.
// Parameters:
//   user_ids (list of text): locked in this transaction
//   rules (map): relationship type -> {weight, value, neutral} of the vocabulary
//   short_rate (float, per ms): ln 2 / short half-life
//   long_rate (float, per ms): ln 2 / long half-life
// Columns:
//   kind (text): of a tag whose interests were written
//   name (text): of the tag
//   events (int): by how many events behind them its interests grew
//   direct (int): the same, of interests in a tag that stands directly on an object
CALL {
  UNWIND $user_ids AS user_id
  MATCH (u:User {id: user_id})-[e:EVENT_TYPES]->(o)
  WITH u, o, max(e.ts) AS last, min(e.ts) AS first, count(e) AS n,
       collect([e.ts, $rules[type(e)].weight * CASE $rules[type(e)].value
         WHEN 'rating' THEN e.value - $rules[type(e)].neutral
         WHEN 'amount' THEN CASE WHEN e.value IS NULL THEN 1.0 ELSE log(1.0 + abs(e.value)) END
         ELSE 1.0 END]) AS parts
  WITH u, o, last, first, n,
       reduce(s = 0.0, p IN parts | s + p[1] * exp((p[0] - last) * $short_rate)) AS short,
       reduce(s = 0.0, p IN parts | s + p[1] * exp((p[0] - last) * $long_rate)) AS long
  MATCH (o)-[h:HAS_TAG]->(d:Tag)-[:PART_OF*0..16]->(t:Tag)
  WITH u, o, t, last, first, n, short, long, max(h.weight) AS weight, max(CASE WHEN d = t THEN 1 ELSE 0 END) AS direct
  WITH u, t, max(last) AS last_at, min(first) AS first_at, sum(n) AS events, max(direct) AS direct,
       collect([last, weight * short, weight * long]) AS parts
  RETURN u, t, null AS r, {
    last_at: last_at, first_at: first_at, events: events, direct: direct = 1,
    short: reduce(s = 0.0, p IN parts | s + p[1] * exp((p[0] - last_at) * $short_rate)),
    long: reduce(s = 0.0, p IN parts | s + p[2] * exp((p[0] - last_at) * $long_rate))} AS now
  UNION ALL
  UNWIND $user_ids AS user_id
  MATCH (u:User {id: user_id})-[r:INTERESTED_IN]->(t:Tag)
  RETURN u, t, r, null AS now
}
WITH u, t, collect(r)[0] AS r, collect(now)[0] AS now
WITH u, t, r, now,
     coalesce(now.events, 0) - coalesce(r.events, 0) AS events,
     CASE WHEN now.direct THEN now.events ELSE 0 END - CASE WHEN r.direct THEN r.events ELSE 0 END AS direct
WHERE r IS NULL OR now IS NULL OR r.events <> now.events OR r.last_at <> now.last_at OR r.first_at <> now.first_at
   OR r.direct <> now.direct OR r.short <> now.short OR r.long <> now.long
FOREACH (_ IN CASE WHEN r IS NULL THEN [1] ELSE [] END |
  CREATE (u)-[:INTERESTED_IN {
    short: now.short, long: now.long, events: now.events, first_at: now.first_at, last_at: now.last_at,
    direct: now.direct}]->(t))
FOREACH (_ IN CASE WHEN r IS NOT NULL AND now IS NOT NULL THEN [1] ELSE [] END |
  SET r.short = now.short, r.long = now.long, r.events = now.events, r.first_at = now.first_at,
      r.last_at = now.last_at, r.direct = now.direct)
FOREACH (_ IN CASE WHEN now IS NULL THEN [1] ELSE [] END | DELETE r)
RETURN t.kind AS kind, t.name AS name, sum(events) AS events, sum(direct) AS direct
