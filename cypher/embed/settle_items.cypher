// These items have the vector of the model in use and are not due any more.
// Parameters:
//   ids (list of text): of the items
//   model (text): version in use
UNWIND $ids AS id
MATCH (o:Item {id: id})
WHERE o.embedding_model = $model
SET o.embed_due = null
