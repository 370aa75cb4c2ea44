// Tags that users are interested in together with one user.
// Parameters:
//   user_id (text): the one
//   others (list of text): the others
// Columns:
//   other (text): of the others
//   tags (list of text): the three strongest shared
UNWIND $others AS other
MATCH (u:User {id: $user_id})-[a:INTERESTED_IN]->(t:Tag)<-[b:INTERESTED_IN]-(v:User {id: other})
WHERE a.long > 0 AND b.long > 0
WITH other, t, CASE WHEN a.events < b.events THEN a.events ELSE b.events END AS strength
ORDER BY other, strength DESC, t.kind, t.name
RETURN other, collect(t.name)[..3] AS tags
