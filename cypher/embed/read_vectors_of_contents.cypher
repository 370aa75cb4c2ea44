// Stored vectors of all contents, of the model in use where they have one.
// Parameters:
//   model (text): version in use, or an empty text
// Columns:
//   id (text): of the node
//   title (text): or null
//   embedding (list of float): the vector
//   model (text): version
//   computed_at (int, epoch ms): when
MATCH (o:Content)
WHERE o.embedding IS NOT NULL
RETURN o.id AS id, o.title AS title,
  CASE WHEN o.embedding_before_model = $model AND o.embedding_model <> $model THEN o.embedding_before ELSE o.embedding END AS embedding,
  CASE WHEN o.embedding_before_model = $model AND o.embedding_model <> $model THEN o.embedding_before_model ELSE o.embedding_model END AS model,
  CASE WHEN o.embedding_before_model = $model AND o.embedding_model <> $model THEN o.embedding_before_at ELSE o.embedding_at END AS computed_at
