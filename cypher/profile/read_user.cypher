// One user with all properties, without the vector.
// Parameters:
//   user_id (text): of the user
// Columns:
//   properties (map): source properties and the ones the system keeps
//   dimensions (int): of the vector, null without one
MATCH (u:User {id: $user_id})
RETURN u {.*, embedding: null} AS properties, size(u.embedding) AS dimensions
