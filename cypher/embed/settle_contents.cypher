// These contents have the vector of the model in use and are not due any more.
// Parameters:
//   ids (list of text): of the contents
//   model (text): version in use
UNWIND $ids AS id
MATCH (o:Content {id: id})
WHERE o.embedding_model = $model
SET o.embed_due = null
