// Content whose titles hold a text, among the first so many that the engine comes upon.
// Parameters:
//   search (text): in small letters
//   looked_at (int): no more than this are looked at
//   limit (int): at most so many
// Columns:
//   id (text): of the content
//   title (text): its title
MATCH (o:Content)
WITH o
LIMIT $looked_at
WHERE toLower(o.title) CONTAINS $search
RETURN o.id AS id, o.title AS title
LIMIT $limit
