// Items whose ids begin with a text: the one of that very id, and some others in the order of the index.
// Parameters:
//   prefix (text): their ids begin so
//   limit (int): at most so many others
// Columns:
//   id (text): of the item
//   title (text): or null
MATCH (o:Item {id: $prefix})
RETURN o.id AS id, o.title AS title
UNION ALL
MATCH (o:Item)
WHERE o.id STARTS WITH $prefix
RETURN o.id AS id, o.title AS title
LIMIT $limit
