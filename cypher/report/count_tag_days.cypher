// Events on things of some tags, by day.
// Parameters:
//   kind (text): of the tags
//   names (list of text): of the tags
//   too_coarse (list of text): values of ts_precision to leave out, month or year
// Columns:
//   tag (text): name of the tag
//   day (int, days since 1970-01-01): UTC
//   events (int): on that day
MATCH (:User)-[e:EVENT_TYPES]->(o)-[:HAS_TAG]->(t:Tag {kind: $kind})
WHERE t.name IN $names AND NOT coalesce(e.ts_precision, 'exact') IN $too_coarse
RETURN t.name AS tag, toInteger(floor(e.ts / 86400000.0)) AS day, count(*) AS events
ORDER BY tag, day
