// All users, items, content and tags with their properties, vectors left out.
// Parameters: none
// Columns:
//   label (text): User, Item, Content or Tag
//   id (text): of the node; null for tags
//   kind (text): of a tag
//   name (text): of a tag, or the property `name`
//   properties (map): all but the vector
MATCH (n)
WHERE n:User OR n:Item OR n:Content OR n:Tag
RETURN head(labels(n)) AS label, n.id AS id, n.kind AS kind, n.name AS name, n {.*, embedding: null, embedding_before: null} AS properties
