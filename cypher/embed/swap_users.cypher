// Exchange the two vectors of users, where the one kept is of a model.
// Parameters:
//   ids (list of text): of the users
//   model (text): version that comes to the front
UNWIND $ids AS id
MATCH (u:User {id: id})
WHERE u.embedding_before_model = $model AND u.embedding_model <> $model
WITH u, u.embedding AS vector, u.embedding_model AS model, u.embedding_at AS at, u.embedding_rev AS rev, u.embedding_status AS status
SET u.embedding = u.embedding_before, u.embedding_model = u.embedding_before_model, u.embedding_at = u.embedding_before_at
SET u.embedding_rev = u.embedding_before_rev, u.embedding_status = u.embedding_before_status
SET u.embedding_before = vector, u.embedding_before_model = model, u.embedding_before_at = at
SET u.embedding_before_rev = rev, u.embedding_before_status = status
