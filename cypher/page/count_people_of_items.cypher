// How many people had to do with one item, by type of event, of the first so many events that the engine comes upon.
// Parameters:
//   id (text): of the item
//   looked_at (int): no more events than this are counted
// Columns:
//   type (text): relationship type
//   events (int): of that type
//   people (int): who did so
//   first_ts (int, epoch ms): the first of them
//   last_ts (int, epoch ms): the last of them
MATCH (:Item {id: $id})<-[e:EVENT_TYPES]-(u:User)
WITH e, u
LIMIT $looked_at
RETURN type(e) AS type, count(e) AS events, count(DISTINCT u.id) AS people, min(e.ts) AS first_ts, max(e.ts) AS last_ts
ORDER BY events DESC, type
