// The events of users, one row each: for interests at a past time, for explanations and for the check of the interests.
// Parameters:
//   user_ids (list of text): whose
// Columns:
//   user_id (text): who did it
//   type (text): relationship type
//   event_id (text): of the event
//   ts (int, epoch ms): when
//   value (float): or null
//   batch (text): that brought the event first
//   object_kind (text): label of the object
//   object_id (text): of the object
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})-[e:EVENT_TYPES]->(o)
RETURN user_id, type(e) AS type, e.event_id AS event_id, e.ts AS ts, e.value AS value, e.batch AS batch, labels(o)[0] AS object_kind, o.id AS object_id
