// Compute the interests of locked users from all their events, and tell what each tag gains.
// score(u, t) = sum over events of weight(type) * m(value) * weight(object, tag) * 2^(-(last_at - ts) / half-life), as of the pair's own latest event; the weight of an ancestor tag is the largest at or below it, so an event counts once per tag.
// Parameters:
//   user_ids (list of text): locked in this transaction
//   rules (map): relationship type -> {weight, value, neutral} of the vocabulary
//   short_rate (float, per ms): ln 2 / short half-life
//   long_rate (float, per ms): ln 2 / long half-life
// Columns:
//   kind (text): of the tag
//   name (text): of the tag
//   events (int): events behind the new interests
//   direct (int): the same, of interests in a tag that stands directly on an object
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
CREATE (u)-[r:INTERESTED_IN {
  short: reduce(s = 0.0, p IN parts | s + p[1] * exp((p[0] - last_at) * $short_rate)),
  long: reduce(s = 0.0, p IN parts | s + p[2] * exp((p[0] - last_at) * $long_rate)),
  events: events, first_at: first_at, last_at: last_at, direct: direct = 1}]->(t)
RETURN t.kind AS kind, t.name AS name, sum(events) AS events, sum(events * direct) AS direct
