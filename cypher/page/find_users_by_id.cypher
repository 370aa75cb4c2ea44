// Users whose ids begin with a text: the one of that very id, and some others in the order of the index.
// Parameters:
//   prefix (text): their ids begin so
//   limit (int): at most so many others
// Columns:
//   id (text): of the user
//   name (text): the property `name`, or null
//   top_tags (list of text): names of the strongest interests, or null
MATCH (u:User {id: $prefix})
RETURN u.id AS id, u.name AS name, u.top_tags AS top_tags
UNION ALL
MATCH (u:User)
WHERE u.id STARTS WITH $prefix
RETURN u.id AS id, u.name AS name, u.top_tags AS top_tags
LIMIT $limit
