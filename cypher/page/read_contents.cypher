// One content with its properties and direct tags, without the vectors.
// Parameters:
//   id (text): of the content
// Columns:
//   id (text): of the content
//   title (text): or null
//   properties (map): source properties and the ones the system keeps
//   tags (list of [kind, name, weight]): direct ones
//   dimensions (int): of the vector, null without one
MATCH (o:Content {id: $id})
OPTIONAL MATCH (o)-[h:HAS_TAG]->(t:Tag)
WITH o, t, h
ORDER BY t.kind, h.weight DESC, t.name
WITH o, collect(CASE WHEN t IS NULL THEN null ELSE [t.kind, t.name, h.weight] END) AS tags
RETURN o.id AS id, o.title AS title, o {.*, embedding: null, embedding_before: null} AS properties, tags,
  size(o.embedding) AS dimensions
