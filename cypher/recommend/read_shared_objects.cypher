// What users have in common with one user.
// Parameters:
//   user_id (text): the one
//   others (list of text): the others
// Columns:
//   other (text): of the others
//   shared (int): how many objects
//   titles (list of text): titles (or ids) of three of them
UNWIND $others AS other
MATCH (u:User {id: $user_id})-[:EVENT_TYPES]->(o)<-[:EVENT_TYPES]-(v:User {id: other})
WITH other, coalesce(o.title, o.id) AS title, o.id AS id
WITH DISTINCT other, title, id
ORDER BY other, title
RETURN other, count(id) AS shared, collect(title)[..3] AS titles
