// Events of some users on items and content, collected per user, with their contribution weight(type) * m(value).
// Parameters:
//   user_ids (list of text): whose
//   rules (map): relationship type -> {weight, value, neutral} of the vocabulary
//   codes (map): relationship type -> number
// Columns:
//   user_id (text): of the user
//   objects (list of text): i:id of an item, c:id of content
//   types (list of int): numbers of the event types
//   times (list of int, epoch ms): when
//   weights (list of float): contributions
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})-[e:EVENT_TYPES]->(o)
WHERE o:Item OR o:Content
RETURN u.id AS user_id,
  collect(CASE WHEN o:Item THEN 'i:' ELSE 'c:' END + o.id) AS objects,
  collect($codes[type(e)]) AS types,
  collect(e.ts) AS times,
  collect($rules[type(e)].weight * CASE $rules[type(e)].value
    WHEN 'rating' THEN e.value - $rules[type(e)].neutral
    WHEN 'amount' THEN CASE WHEN e.value IS NULL THEN 1.0 ELSE log(1.0 + abs(e.value)) END
    ELSE 1.0 END) AS weights
