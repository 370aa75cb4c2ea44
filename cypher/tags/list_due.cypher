// Users whose interests are older than their events.
// Parameters:
//   limit (int): at most so many
// Columns:
//   user_id (text): of the user
MATCH (u:User {tags_due: true})
RETURN u.id AS user_id
LIMIT $limit
