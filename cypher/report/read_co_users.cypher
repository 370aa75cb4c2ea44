// The people who share most with one user; what few people share counts more (Adamic and Adar, 2003).
// Parameters:
//   user_id (text): of the user
//   hub (int, events): more events than this make an object too common to count
//   limit (int): rows at most
// Columns:
//   id (text): of the other user
//   name (text): the property `name`, or null
//   score (float): sum of 1 / log(1 + events on the object)
//   objects (list of [label, id]): shared
MATCH (u:User {id: $user_id})-[:EVENT_TYPES]->(o)
WHERE NOT o:User
WITH DISTINCT u, o
WITH u, o, COUNT { (o)<-[:EVENT_TYPES]-() } AS degree
WHERE degree > 1 AND degree <= $hub
MATCH (o)<-[:EVENT_TYPES]-(v:User)
WHERE v <> u
WITH DISTINCT v, o, degree
ORDER BY v.id, o.id
WITH v, sum(1 / log(1 + degree)) AS score, collect([head(labels(o)), o.id]) AS objects
RETURN v.id AS id, v.name AS name, score, objects
ORDER BY round(score, 9) DESC, id
LIMIT $limit
