// Users whose names hold a text, among the first so many users that the engine comes upon.
// Parameters:
//   search (text): in small letters
//   looked_at (int): no more users than this are looked at
//   limit (int): at most so many
// Columns:
//   id (text): of the user
//   name (text): the property `name`
//   top_tags (list of text): names of the strongest interests, or null
MATCH (u:User)
WITH u
LIMIT $looked_at
WHERE toLower(toStringOrNull(u.name)) CONTAINS $search
RETURN u.id AS id, u.name AS name, u.top_tags AS top_tags
LIMIT $limit
