// What a recommendation shows of contents.
// Parameters:
//   model (text): version in use
//   ids (list of text): of the contents
// Columns:
//   id (text): of the node
//   title (text): or null
//   indexed (bool): whether the vector in the index is by the model in use
UNWIND $ids AS id
MATCH (o:Content {id: id})
RETURN o.id AS id, o.title AS title, o.embedding_model = $model AS indexed
