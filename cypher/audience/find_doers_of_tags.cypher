// Ids of the users who dealt with things of some tags, in their order.
// Parameters:
//   tags (list of [kind, name]): a thing must have one of them
//   after (text): ids after this one; an empty text begins at the first
//   since (int, epoch ms): events from here on count
//   until (int, epoch ms): events up to here count
//   times (int): at least so many
// Columns:
//   id (text): of the user
UNWIND $tags AS tag
MATCH (o)-[:HAS_TAG]->(:Tag {kind: tag[0], name: tag[1]})
WITH DISTINCT o
MATCH (o)<-[e:EVENT_TYPES]-(u:User)
WHERE e.ts >= $since AND e.ts <= $until AND u.id > $after
WITH u.id AS id, count(e) AS events
WHERE events >= $times
RETURN id
ORDER BY id
