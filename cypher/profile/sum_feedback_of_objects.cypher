// What a user says and what the user does about each thing or person: as profile/sum_feedback_of_tags, without the weights of tags.
// Parameters:
//   user_id (text): of the user
//   until (int, epoch ms): later events don't count
//   rules (map): relationship type -> {weight, value, neutral, feedback} of the vocabulary
//   long_rate (float, per ms): ln 2 / long half-life
//   both (boolean): only things with events of both sorts
// Columns:
//   kind (text): label of the thing
//   id (text): of the thing
//   title (text): or null
//   last_at (int, epoch ms): the latest event on it
//   explicit (float): sum of what is said
//   explicit_size (float): the same without signs
//   explicit_events (int): that say it
//   implicit (float): sum of what is done
//   implicit_size (float): the same without signs
//   implicit_events (int): that do it
MATCH (u:User {id: $user_id})-[e:EVENT_TYPES]->(o)
WHERE e.ts <= $until
WITH o, e.ts AS ts, $rules[type(e)].weight * CASE $rules[type(e)].value
       WHEN 'rating' THEN coalesce(e.value, $rules[type(e)].neutral) - $rules[type(e)].neutral
       WHEN 'amount' THEN CASE WHEN e.value IS NULL THEN 1.0 ELSE log(1.0 + abs(e.value)) END
       ELSE 1.0 END AS contribution, CASE $rules[type(e)].feedback WHEN 'explicit' THEN 1 ELSE 0 END AS said
WITH o, max(ts) AS last_at, sum(said) AS explicit_events, sum(1 - said) AS implicit_events,
     collect([ts, contribution, said]) AS parts
WHERE NOT $both OR explicit_events > 0 AND implicit_events > 0
RETURN labels(o)[0] AS kind, o.id AS id, o.title AS title, last_at,
  reduce(s = 0.0, p IN parts | s + p[2] * p[1] * exp((p[0] - last_at) * $long_rate)) AS explicit,
  reduce(s = 0.0, p IN parts | s + p[2] * abs(p[1]) * exp((p[0] - last_at) * $long_rate)) AS explicit_size,
  explicit_events,
  reduce(s = 0.0, p IN parts | s + (1 - p[2]) * p[1] * exp((p[0] - last_at) * $long_rate)) AS implicit,
  reduce(s = 0.0, p IN parts | s + (1 - p[2]) * abs(p[1]) * exp((p[0] - last_at) * $long_rate)) AS implicit_size,
  implicit_events
