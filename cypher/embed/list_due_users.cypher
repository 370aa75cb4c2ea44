// Users whose vector is older than their events.
// Parameters:
//   limit (int): at most so many
// Columns:
//   id (text): of the user
MATCH (u:User)
WHERE u.embed_due > ''
RETURN u.id AS id
LIMIT $limit
