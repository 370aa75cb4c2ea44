// One user with all properties, without the vectors.
// Parameters:
//   user_id (text): of the user
// Columns:
//   properties (map): source properties and the ones the system keeps
//   dimensions (int): of the vector, null without one
//   dimensions_before (int): of the vector kept of another model, null without one
MATCH (u:User {id: $user_id})
RETURN u {.*, embedding: null, embedding_before: null} AS properties,
  size(u.embedding) AS dimensions, size(u.embedding_before) AS dimensions_before
