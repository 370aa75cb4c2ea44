// Users whose interests are older than their events: tags_due holds the id then, so that the index has no crowded key.
// Columns:
//   user_id (text): of the user
MATCH (u:User)
WHERE u.tags_due > ''
RETURN u.id AS user_id
