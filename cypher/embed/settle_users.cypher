// Users who have the vector of the model in use, from all of their events, are not due any more.
// Parameters:
//   ids (list of text): of the users
//   model (text): version in use
UNWIND $ids AS id
MATCH (u:User {id: id})
WHERE u.embedding_model = $model AND u.embedding_rev = u.rev
SET u.embed_due = null
