// A few user ids that begin alike, to help after a typing mistake.
// Parameters:
//   prefix (text): the beginning
// Columns:
//   user_id (text): of a user
MATCH (u:User)
WHERE u.id STARTS WITH $prefix
RETURN u.id AS user_id
LIMIT 200
