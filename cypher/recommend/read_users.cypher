// Whose vectors the index holds.
// Parameters:
//   ids (list of text): of the users
//   model (text): version in use
// Columns:
//   id (text): of the user
//   indexed (bool): whether the vector in the index is by the model in use
UNWIND $ids AS id
MATCH (u:User {id: id})
RETURN u.id AS id, u.embedding_model = $model AS indexed
