// Vectors of some items, with their strongest direct tag of one kind.
// Parameters:
//   model (text): version in use
//   ids (list of text): of the items
//   kind (text): of the tag
// Columns:
//   id (text): of the item
//   name (text): its title, or null
//   tag (text): or null
//   vector (list of float): the embedding
UNWIND $ids AS id
MATCH (n:Item {id: id})
OPTIONAL MATCH (n)-[h:HAS_TAG]->(t:Tag {kind: $kind})
WITH n, h.weight AS weight, t.name AS tag
ORDER BY n.id, weight DESC, tag
WITH n, head(collect(tag)) AS tag
RETURN n.id AS id, n.title AS name, tag,
  CASE WHEN n.embedding_before_model = $model AND n.embedding_model <> $model THEN n.embedding_before ELSE n.embedding END AS vector
