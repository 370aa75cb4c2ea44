// Ids of items that keep a vector of a model beside that of another.
// Parameters:
//   model (text): version
// Columns:
//   id (text): of the node
MATCH (o:Item)
WHERE o.embedding_before_model = $model AND o.embedding_model <> $model
RETURN o.id AS id
