// Ids of the users with a vector of one model and an event; without one all have the same vector.
// Parameters:
//   model (text): its version
// Columns:
//   id (text): of the user
MATCH (n:User)
WHERE (n.embedding_model = $model OR n.embedding_before_model = $model) AND EXISTS { (n)-[:EVENT_TYPES]->() }
RETURN n.id AS id
