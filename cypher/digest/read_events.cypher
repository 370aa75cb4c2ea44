// All events with both ends.
// Columns:
//   user_id (text): who did it
//   type (text): relationship type
//   object_kind (text): label of the object
//   object_id (text): of the object
//   properties (map): of the event
MATCH (u:User)-[e:EVENT_TYPES]->(o)
RETURN u.id AS user_id, type(e) AS type, labels(o)[0] AS object_kind, o.id AS object_id, properties(e) AS properties
