// Contents whose id begins with a text or whose title holds it, in the order of their ids, a page at a time.
// Parameters:
//   search (text): in small letters; an empty text takes all
//   after (text): ids after this one; an empty text begins at the first
//   limit (int): at most so many
// Columns:
//   id (text): of the content
//   title (text): or null
//   properties (map): source properties and the ones the system keeps
//   tags (list of [kind, name]): direct ones
MATCH (o:Content)
WHERE o.id > $after AND ($search = '' OR toLower(o.id) STARTS WITH $search OR toLower(o.title) CONTAINS $search)
WITH o ORDER BY o.id LIMIT $limit
OPTIONAL MATCH (o)-[:HAS_TAG]->(t:Tag)
WITH o, collect(CASE WHEN t IS NULL THEN null ELSE [t.kind, t.name] END) AS tags
RETURN o.id AS id, o.title AS title, o {.*, embedding: null, embedding_before: null} AS properties, tags
ORDER BY id
