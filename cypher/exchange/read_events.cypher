// The events of some users, one row each.
// Parameters:
//   user_ids (list of text): whose
// Columns:
//   user_id (text): who did it
//   type (text): relationship type
//   label (text): of the object
//   object_id (text): of the object
//   properties (map): of the event
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})-[e:EVENT_TYPES]->(o)
RETURN u.id AS user_id, type(e) AS type, labels(o)[0] AS label, o.id AS object_id, properties(e) AS properties
