// Events on one item by type and day, of the first so many events that the engine comes upon.
// Parameters:
//   id (text): of the item
//   looked_at (int): no more events than this are counted
// Columns:
//   type (text): relationship type
//   day (int, days since 1970-01-01): UTC
//   precision (text): how exactly the time is known: exact, day, month or year
//   events (int): on that day
MATCH (:Item {id: $id})<-[e:EVENT_TYPES]-(:User)
WITH e
LIMIT $looked_at
RETURN type(e) AS type, toInteger(floor(e.ts / 86400000.0)) AS day, coalesce(e.ts_precision, 'exact') AS precision,
  count(e) AS events
ORDER BY day, type, precision
