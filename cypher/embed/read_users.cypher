// Stored vectors of some users, of the model in use where they have one, with what tells their status. All in one row: the driver's work on a row is more than on a vector.
// Parameters:
//   user_ids (list of text): whose
//   model (text): version in use, or an empty text
// Columns:
//   users (list of [id, vector, model, computed_at, vector_rev, kind, rev]): the vector is a list of float or null; the revisions are the user's when it was computed, and now
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
WITH u, coalesce(u.embedding_before_model = $model AND u.embedding_model <> $model, false) AS kept
RETURN collect(CASE WHEN kept
  THEN [u.id, u.embedding_before, u.embedding_before_model, u.embedding_before_at, u.embedding_before_rev, u.embedding_before_status, u.rev]
  ELSE [u.id, u.embedding, u.embedding_model, u.embedding_at, u.embedding_rev, u.embedding_status, u.rev] END) AS users
