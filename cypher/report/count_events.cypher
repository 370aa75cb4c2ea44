// How many events of each type there are, and when.
// Parameters: none
// Columns:
//   type (text): relationship type
//   events (int): of that type
//   first_ts (int, epoch ms): the earliest
//   last_ts (int, epoch ms): the latest
MATCH (:User)-[e:EVENT_TYPES]->()
RETURN type(e) AS type, count(e) AS events, min(e.ts) AS first_ts, max(e.ts) AS last_ts
ORDER BY events DESC, type
