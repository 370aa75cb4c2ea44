// Ids of items without a vector of a model in the first place.
// Parameters:
//   model (text): version
// Columns:
//   id (text): of the node
MATCH (o:Item)
WHERE o.embedding_model IS NULL OR o.embedding_model <> $model
RETURN o.id AS id
