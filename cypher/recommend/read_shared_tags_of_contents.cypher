// Tags that contents have in common with one of them.
// Parameters:
//   id (text): the one
//   others (list of text): the others
// Columns:
//   other (text): of the others
//   tags (list of text): three of them
UNWIND $others AS other
MATCH (:Content {id: $id})-[:HAS_TAG]->(t:Tag)<-[:HAS_TAG]-(:Content {id: other})
WITH other, t
ORDER BY other, t.kind, t.name
RETURN other, collect(t.name)[..3] AS tags
