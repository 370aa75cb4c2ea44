// Events of some users on items and content in a stretch of time, and how many each user had by its end.
// Parameters:
//   user_ids (list of text): whose
//   since (int, epoch ms): events later than this
//   until (int, epoch ms): and not later than that
//   rules (map): relationship type -> {weight, value, neutral} of the vocabulary
// Columns:
//   user_id (text): a user with an event in the stretch
//   earlier (int): events up to its begin
//   objects (list of text): i:id of an item, c:id of content
//   types (list of text): relationship types
//   days (list of int): whole days since 1970 of the events
//   weights (list of float): contributions
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})-[e:EVENT_TYPES]->(o)
WHERE (o:Item OR o:Content) AND e.ts <= $until
WITH u,
  sum(CASE WHEN e.ts > $since THEN 0 ELSE 1 END) AS earlier,
  collect(CASE WHEN e.ts > $since THEN CASE WHEN o:Item THEN 'i:' ELSE 'c:' END + o.id END) AS objects,
  collect(CASE WHEN e.ts > $since THEN type(e) END) AS types,
  collect(CASE WHEN e.ts > $since THEN e.ts / 86400000 END) AS days,
  collect(CASE WHEN e.ts > $since THEN $rules[type(e)].weight * CASE $rules[type(e)].value
    WHEN 'rating' THEN e.value - $rules[type(e)].neutral
    WHEN 'amount' THEN CASE WHEN e.value IS NULL THEN 1.0 ELSE log(1.0 + abs(e.value)) END
    ELSE 1.0 END END) AS weights
WHERE size(types) > 0
RETURN u.id AS user_id, earlier, objects, types, days, weights
