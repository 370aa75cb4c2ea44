// Tags of items that a user is interested in, strongest first.
// Parameters:
//   pairs (list of [user id, list of ids]): users and the items recommended to them
// Columns:
//   user_id (text): of the user
//   id (text): of the node
//   kind (text): of the tag
//   name (text): of the tag
//   events (int): of the user's with this tag
UNWIND $pairs AS p
MATCH (u:User {id: p[0]})
UNWIND p[1] AS id
MATCH (o:Item {id: id})-[h:HAS_TAG]->(t:Tag)
MATCH (u)-[r:INTERESTED_IN]->(t)
WHERE r.long > 0
RETURN u.id AS user_id, id, t.kind AS kind, t.name AS name, r.events AS events
ORDER BY user_id, id, h.weight * r.events DESC, kind, name
