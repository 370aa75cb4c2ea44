// Ids of users that keep a vector of a model beside that of another.
// Parameters:
//   model (text): version
// Columns:
//   id (text): of the user
MATCH (u:User)
WHERE u.embedding_before_model = $model AND u.embedding_model <> $model
RETURN u.id AS id
