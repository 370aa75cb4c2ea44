// Ids of the users with a vector of one model.
// Parameters:
//   model (text): its version
// Columns:
//   id (text): of the user
MATCH (n:User)
WHERE n.embedding_model = $model
RETURN n.id AS id
