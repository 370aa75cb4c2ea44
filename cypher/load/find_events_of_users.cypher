// Which of these events are stored with the user who is said to have done them (for engines without an index look-up of relationships).
// Parameters:
//   groups (list of [user id, map event id -> true]): grouped by user
// Columns:
//   event_id (text): of a stored event
//   hash (text): of its content
UNWIND $groups AS g
MATCH (u:User {id: g[0]})-[e:EVENT_TYPES]->()
WHERE g[1][e.event_id] IS NOT NULL
RETURN e.event_id AS event_id, e.hash AS hash
