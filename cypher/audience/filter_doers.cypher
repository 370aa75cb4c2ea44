// Which of these users did something often enough in a time.
// Parameters:
//   ids (list of text): of the users
//   item (text): only with this item or content; null with anything
//   tags (list of text, kind:name): only with things that have one of them; null with anything
//   since (int, epoch ms): events from here on count
//   until (int, epoch ms): events up to here count
//   times (int): at least so many
// Columns:
//   id (text): of the user
UNWIND $ids AS id
MATCH (u:User {id: id})-[e:EVENT_TYPES]->(o)
WHERE e.ts >= $since AND e.ts <= $until
  AND ($item IS NULL OR (o.id = $item AND NOT o:User))
  AND ($tags IS NULL OR any(x IN [(o)-[:HAS_TAG]->(t:Tag) | t.kind + ':' + t.name] WHERE x IN $tags))
WITH id, count(e) AS events
WHERE events >= $times
RETURN id
