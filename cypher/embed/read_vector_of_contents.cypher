// The stored vector of one of the contents, of the model in use where it has one.
// Parameters:
//   id (text): of the node
//   model (text): version in use, or an empty text
// Columns:
//   embedding (list of float): the vector, or null
//   model (text): version, or null
MATCH (o:Content {id: $id})
RETURN CASE WHEN o.embedding_before_model = $model AND o.embedding_model <> $model THEN o.embedding_before ELSE o.embedding END AS embedding,
  CASE WHEN o.embedding_before_model = $model AND o.embedding_model <> $model THEN o.embedding_before_model ELSE o.embedding_model END AS model
