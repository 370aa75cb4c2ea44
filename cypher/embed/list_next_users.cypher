// Ids of users without a vector of a model, from all of their events, in the first place.
// Parameters:
//   model (text): version
// Columns:
//   id (text): of the user
MATCH (u:User)
WHERE u.embedding_model IS NULL OR u.embedding_model <> $model OR u.embedding_rev IS NULL OR u.embedding_rev <> u.rev
RETURN u.id AS id
