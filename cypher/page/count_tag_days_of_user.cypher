// A user's events on things with some tags, by tag and day.
// Parameters:
//   user_id (text): of the user
//   kind (text): of the tags
//   tags (list of text): their names
//   until (int, epoch ms): later events don't count
// Columns:
//   tag (text): name of the tag
//   day (int, days since 1970-01-01): UTC
//   precision (text): how exactly the time is known: exact, day, month or year
//   events (int): on that day
MATCH (:User {id: $user_id})-[e:EVENT_TYPES]->(o)
WHERE e.ts <= $until
MATCH (o)-[:HAS_TAG]->(t:Tag {kind: $kind})
WHERE t.name IN $tags
RETURN t.name AS tag, toInteger(floor(e.ts / 86400000.0)) AS day, coalesce(e.ts_precision, 'exact') AS precision,
  count(e) AS events
ORDER BY day, tag, precision
