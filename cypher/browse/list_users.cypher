// Users in the order of their ids, a page at a time, without their vectors.
// Parameters:
//   prefix (text): their ids begin so; an empty text takes all
//   after (text): ids after this one; an empty text begins at the first
//   limit (int): at most so many
// Columns:
//   id (text): of the user
//   properties (map): source properties and the ones the system keeps
MATCH (u:User)
WHERE u.id > $after AND u.id STARTS WITH $prefix
WITH u ORDER BY u.id LIMIT $limit
RETURN u.id AS id, u {.*, embedding: null, embedding_before: null} AS properties
ORDER BY id
