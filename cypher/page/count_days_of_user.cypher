// A user's events by type and day.
// Parameters:
//   user_id (text): of the user
//   until (int, epoch ms): later events don't count
// Columns:
//   type (text): relationship type
//   day (int, days since 1970-01-01): UTC
//   precision (text): how exactly the time is known: exact, day, month or year
//   events (int): on that day
MATCH (:User {id: $user_id})-[e:EVENT_TYPES]->()
WHERE e.ts <= $until
RETURN type(e) AS type, toInteger(floor(e.ts / 86400000.0)) AS day, coalesce(e.ts_precision, 'exact') AS precision,
  count(e) AS events
ORDER BY day, type, precision
