// Stored vectors of some users, of the model in use where they have one, with what tells their status.
// Parameters:
//   user_ids (list of text): whose
//   model (text): version in use, or an empty text
// Columns:
//   id (text): of the user
//   embedding (list of float): the vector, or null
//   properties (map): of the user, those that tell the status
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
RETURN u.id AS id, CASE WHEN u.embedding_before_model = $model AND u.embedding_model <> $model THEN u.embedding_before ELSE u.embedding END AS embedding,
  u {.rev, .embedding_model, .embedding_at, .embedding_rev, .embedding_status,
    .embedding_before_model, .embedding_before_at, .embedding_before_rev, .embedding_before_status} AS properties
