// What one user has dealt with lately, with tags.
// Parameters:
//   user_id (text): of the user
//   limit (int): objects at most, the latest ones
// Columns:
//   label (text): Item or Content
//   id (text): of the object
//   title (text): or null
//   events (int): of the user on it
//   last_ts (int, epoch ms): the latest of them
//   tags (list of [kind, name]): direct tags
MATCH (:User {id: $user_id})-[e:EVENT_TYPES]->(o)
WHERE NOT o:User
WITH o, count(e) AS events, max(e.ts) AS last_ts
ORDER BY last_ts DESC, o.id
LIMIT $limit
OPTIONAL MATCH (o)-[:HAS_TAG]->(t:Tag)
WITH o, events, last_ts, t
ORDER BY last_ts DESC, o.id, t.kind, t.name
WITH o, events, last_ts, collect([t.kind, t.name]) AS tags
RETURN head(labels(o)) AS label, o.id AS id, o.title AS title, events, last_ts,
       [x IN tags WHERE x[1] IS NOT NULL] AS tags
ORDER BY last_ts DESC, id
