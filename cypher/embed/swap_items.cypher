// Exchange the two vectors of items, where the one kept is of a model.
// Parameters:
//   ids (list of text): of the items
//   model (text): version that comes to the front
UNWIND $ids AS id
MATCH (o:Item {id: id})
WHERE o.embedding_before_model = $model AND o.embedding_model <> $model
WITH o, o.embedding AS vector, o.embedding_model AS model, o.embedding_at AS at
SET o.embedding = o.embedding_before, o.embedding_model = o.embedding_before_model, o.embedding_at = o.embedding_before_at
SET o.embedding_before = vector, o.embedding_before_model = model, o.embedding_before_at = at
