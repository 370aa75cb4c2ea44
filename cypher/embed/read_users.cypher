// Stored vectors of some users with what tells their status.
// Parameters:
//   user_ids (list of text): whose
// Columns:
//   id (text): of the user
//   embedding (list of float): the vector, or null
//   properties (map): of the user, without the vector
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
RETURN u.id AS id, u.embedding AS embedding, u {.*, embedding: null} AS properties
