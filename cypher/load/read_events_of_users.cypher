// The stored versions of these events with the users who are said to have done them.
// Parameters:
//   groups (list of [user id, map event id -> true]): grouped by user
// Columns:
//   event_id (text): of the stored event
//   user_id (text): who did it
//   object_id (text): to what
//   object_kind (text): label of that
//   properties (map): of the event
UNWIND $groups AS g
MATCH (u:User {id: g[0]})-[e:EVENT_TYPES]->(o)
WHERE g[1][e.event_id] IS NOT NULL
RETURN e.event_id AS event_id, u.id AS user_id, o.id AS object_id, labels(o)[0] AS object_kind, properties(e) AS properties
