// Stored vectors of all items.
// Columns:
//   id (text): of the node
//   title (text): or null
//   embedding (list of float): the vector
//   model (text): version
//   computed_at (int, epoch ms): when
MATCH (o:Item)
WHERE o.embedding IS NOT NULL
RETURN o.id AS id, o.title AS title, o.embedding AS embedding, o.embedding_model AS model, o.embedding_at AS computed_at
