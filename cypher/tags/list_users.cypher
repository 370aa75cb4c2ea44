// All users, for a full rebuild or a check.
// Columns:
//   user_id (text): of the user
MATCH (u:User)
RETURN u.id AS user_id
