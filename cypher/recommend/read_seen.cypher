// What users already have.
// Parameters:
//   user_ids (list of text): whose
// Columns:
//   user_id (text): of the user
//   objects (list of text): i:id of an item, c:id of content, latest first
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})-[e:EVENT_TYPES]->(o)
WHERE o:Item OR o:Content
WITH user_id, CASE WHEN o:Item THEN 'i:' ELSE 'c:' END + o.id AS object, max(e.ts) AS last
ORDER BY user_id, last DESC, object
RETURN user_id, collect(object) AS objects
