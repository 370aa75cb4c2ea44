// Ids of all users whose vector is older than their events.
// Columns:
//   id (text): of the user
MATCH (u:User)
WHERE u.embed_due > ''
RETURN u.id AS id
