// Events on things with a tag or one below it by day, of the first so many events that the engine comes upon.
// Parameters:
//   kind (text): of the tag
//   tag (text): its name
//   most_objects (int): no more things than this are looked at
//   looked_at (int): no more events than this are counted
// Columns:
//   day (int, days since 1970-01-01): UTC
//   precision (text): how exactly the time is known: exact, day, month or year
//   events (int): on that day
MATCH (:Tag {kind: $kind, name: $tag})<-[:PART_OF*0..16]-(n:Tag)
WITH DISTINCT n
MATCH (n)<-[:HAS_TAG]-(o)
WITH DISTINCT o
LIMIT $most_objects
MATCH (o)<-[e:EVENT_TYPES]-(:User)
WITH e
LIMIT $looked_at
RETURN toInteger(floor(e.ts / 86400000.0)) AS day, coalesce(e.ts_precision, 'exact') AS precision, count(e) AS events
ORDER BY day, precision
