// Take events away; their users are touched apart.
// Parameters:
//   groups (list of [user id, map event id -> true]): of one type, grouped by user
// Columns:
//   events (int): taken away
UNWIND $groups AS g
MATCH (:User {id: g[0]})-[e:EVENT_TYPES]->()
WHERE g[1][e.event_id] IS NOT NULL
DELETE e
RETURN count(*) AS events
