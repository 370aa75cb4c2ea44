// Ids of contents without a vector of a model in the first place.
// Parameters:
//   model (text): version
// Columns:
//   id (text): of the node
MATCH (o:Content)
WHERE o.embedding_model IS NULL OR o.embedding_model <> $model
RETURN o.id AS id
