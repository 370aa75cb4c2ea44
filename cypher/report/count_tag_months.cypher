// Events on things of some tags, by month.
// Parameters:
//   kind (text): of the tags
//   names (list of text): of the tags
//   too_coarse (list of text): values of ts_precision to leave out, month or year
// Columns:
//   tag (text): name of the tag
//   month (int): year * 12 + month - 1
//   events (int): in that month
MATCH (:User)-[e:EVENT_TYPES]->(o)-[:HAS_TAG]->(t:Tag {kind: $kind})
WHERE t.name IN $names AND NOT coalesce(e.ts_precision, 'exact') IN $too_coarse
WITH t.name AS tag, datetime({epochMillis: e.ts}) AS at
RETURN tag, at.year * 12 + at.month - 1 AS month, count(*) AS events
ORDER BY tag, month
