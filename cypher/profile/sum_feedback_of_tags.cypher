// What a user says and what the user does about each tag, summed over the events up to a time: explicit and implicit events apart.
// The score of either sort is that of tags/compute_interests over its events alone, with the long half-life, as of the latest event of both; the two add up to the interest.
// Parameters:
//   user_id (text): of the user
//   until (int, epoch ms): later events don't count
//   rules (map): relationship type -> {weight, value, neutral, feedback} of the vocabulary
//   long_rate (float, per ms): ln 2 / long half-life
//   both (boolean): only tags with events of both sorts
// Columns:
//   kind (text): of the tag
//   name (text): of the tag
//   last_at (int, epoch ms): the latest event on something with the tag
//   explicit (float): sum of what is said
//   explicit_size (float): the same without signs
//   explicit_events (int): that say it
//   implicit (float): sum of what is done
//   implicit_size (float): the same without signs
//   implicit_events (int): that do it
MATCH (u:User {id: $user_id})-[e:EVENT_TYPES]->(o)
WHERE e.ts <= $until
WITH o, collect([e.ts, $rules[type(e)].weight * CASE $rules[type(e)].value
       WHEN 'rating' THEN coalesce(e.value, $rules[type(e)].neutral) - $rules[type(e)].neutral
       WHEN 'amount' THEN CASE WHEN e.value IS NULL THEN 1.0 ELSE log(1.0 + abs(e.value)) END
       ELSE 1.0 END, CASE $rules[type(e)].feedback WHEN 'explicit' THEN 1 ELSE 0 END]) AS uses
MATCH (o)-[h:HAS_TAG]->(d:Tag)-[:PART_OF*0..16]->(t:Tag)
WITH o, t, head(collect(uses)) AS uses, max(h.weight) AS weight
UNWIND uses AS use
WITH t, use[0] AS ts, weight * use[1] AS contribution, use[2] AS said
WITH t, max(ts) AS last_at, sum(said) AS explicit_events, sum(1 - said) AS implicit_events,
     collect([ts, contribution, said]) AS parts
WHERE NOT $both OR explicit_events > 0 AND implicit_events > 0
RETURN t.kind AS kind, t.name AS name, last_at,
  reduce(s = 0.0, p IN parts | s + p[2] * p[1] * exp((p[0] - last_at) * $long_rate)) AS explicit,
  reduce(s = 0.0, p IN parts | s + p[2] * abs(p[1]) * exp((p[0] - last_at) * $long_rate)) AS explicit_size,
  explicit_events,
  reduce(s = 0.0, p IN parts | s + (1 - p[2]) * p[1] * exp((p[0] - last_at) * $long_rate)) AS implicit,
  reduce(s = 0.0, p IN parts | s + (1 - p[2]) * abs(p[1]) * exp((p[0] - last_at) * $long_rate)) AS implicit_size,
  implicit_events
