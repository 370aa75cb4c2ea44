// How many people chose one of these contents as well as a given one.
// Parameters:
//   id (text): the given one
//   others (list of text): the others
// Columns:
//   other (text): of the others
//   users (int): people
MATCH (:Content {id: $id})<-[:EVENT_TYPES]-(u:User)
WITH DISTINCT u
MATCH (u)-[:EVENT_TYPES]->(o:Content)
WHERE o.id IN $others
RETURN o.id AS other, count(DISTINCT u) AS users
