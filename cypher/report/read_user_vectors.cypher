// Vectors of some users, with the tag of one kind that most of their events went to.
// Parameters:
//   model (text): version in use
//   ids (list of text): of the users
//   kind (text): of the tag
// Columns:
//   id (text): of the user
//   name (text): the property `name`, or null
//   tag (text): or null
//   vector (list of float): the embedding
UNWIND $ids AS id
MATCH (n:User {id: id})
OPTIONAL MATCH (n)-[r:INTERESTED_IN {direct: true}]->(t:Tag {kind: $kind})
WITH n, r.events AS events, t.name AS tag
ORDER BY n.id, events DESC, tag
WITH n, head(collect(tag)) AS tag
RETURN n.id AS id, n.name AS name, tag,
  CASE WHEN n.embedding_before_model = $model AND n.embedding_model <> $model THEN n.embedding_before ELSE n.embedding END AS vector
