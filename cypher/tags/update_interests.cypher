// Bring the interests of locked users up to date from all their events: write those that are new or differ. Ones that no event supports any more stay.
// score(u, t) = sum over events of weight(type) * m(value) * weight(object, tag) * 2^(-(last_at - ts) / half-life), as of the pair's own latest event; the weight of an ancestor tag is the largest at or below it, so an event counts once per tag.
// Parameters:
//   user_ids (list of text): locked in this transaction
//   rules (map): relationship type -> {weight, value, neutral} of the vocabulary
//   short_rate (float, per ms): ln 2 / short half-life
//   long_rate (float, per ms): ln 2 / long half-life
// Columns:
//   user_id (text): of a user with an interest
//   interests (int): how many the user's events support
//   changes (list of [kind, name, events, direct]): of each interest that was written: its tag, and by how many events behind it, and behind it in a tag that stands directly on an object, it grew
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
WITH u, t, last_at, first_at, events, direct = 1 AS direct,
     reduce(s = 0.0, p IN parts | s + p[1] * exp((p[0] - last_at) * $short_rate)) AS short,
     reduce(s = 0.0, p IN parts | s + p[2] * exp((p[0] - last_at) * $long_rate)) AS long
OPTIONAL MATCH (u)-[r:INTERESTED_IN]->(t)
WITH u, t, r, last_at, first_at, events, direct, short, long,
     CASE WHEN r IS NULL THEN 'new'
       WHEN r.events = events AND r.last_at = last_at AND r.first_at = first_at AND r.direct = direct
         AND r.short = short AND r.long = long THEN 'same'
       ELSE 'other' END AS state,
     [t.kind, t.name, events - coalesce(r.events, 0),
      CASE WHEN direct THEN events ELSE 0 END - CASE WHEN r.direct THEN r.events ELSE 0 END] AS change
FOREACH (_ IN CASE WHEN state = 'new' THEN [1] ELSE [] END |
  CREATE (u)-[:INTERESTED_IN {
    short: short, long: long, events: events, first_at: first_at, last_at: last_at, direct: direct}]->(t))
FOREACH (_ IN CASE WHEN state = 'other' THEN [1] ELSE [] END |
  SET r.short = short, r.long = long, r.events = events, r.first_at = first_at, r.last_at = last_at,
      r.direct = direct)
RETURN u.id AS user_id, count(*) AS interests,
       collect(CASE WHEN state <> 'same' THEN change END) AS changes
