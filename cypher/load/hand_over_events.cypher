// Note another batch as the one that brought these events first.
// Parameters:
//   groups (list of [user id, map event id -> batch]): of one type, grouped by user
UNWIND $groups AS g
MATCH (:User {id: g[0]})-[e:EVENT_TYPES]->()
WHERE g[1][e.event_id] IS NOT NULL
SET e.batch = g[1][e.event_id]
