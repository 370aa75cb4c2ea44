// As embed/read_events_of_users, for an explanation: also which event it was, and what brought it.
// Parameters:
//   user_ids (list of text): whose
//   rules (map): relationship type -> {weight, value, neutral} of the vocabulary
//   codes (map): relationship type -> number
// Columns:
//   user_id (text): of the user
//   rev (int): revision
//   objects (list of text): i:id of an item, c:id of content, u:id of a user
//   types (list of int): numbers of the event types
//   times (list of int, epoch ms): when
//   weights (list of float): contributions
//   event_ids (list of text): of the events
//   batches (list of text): that brought them
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
WITH u, u.rev AS rev
OPTIONAL MATCH (u)-[e:EVENT_TYPES]->(o)
RETURN u.id AS user_id, rev,
  collect(CASE WHEN o:Item THEN 'i:' WHEN o:Content THEN 'c:' ELSE 'u:' END + o.id) AS objects,
  collect($codes[type(e)]) AS types,
  collect(e.ts) AS times,
  collect($rules[type(e)].weight * CASE $rules[type(e)].value
    WHEN 'rating' THEN e.value - $rules[type(e)].neutral
    WHEN 'amount' THEN CASE WHEN e.value IS NULL THEN 1.0 ELSE log(1.0 + abs(e.value)) END
    ELSE 1.0 END) AS weights,
  collect(e.event_id) AS event_ids,
  collect(e.batch) AS batches
