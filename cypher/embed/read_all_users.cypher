// Stored vectors of all users with what tells their status.
// Columns:
//   id (text): of the user
//   embedding (list of float): the vector, or null
//   properties (map): of the user, without the vector
MATCH (u:User)
RETURN u.id AS id, u.embedding AS embedding, u {.*, embedding: null} AS properties
