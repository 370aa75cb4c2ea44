// Every step of the tag hierarchy.
// Columns:
//   kind (text): of the narrower tag
//   name (text): of the narrower tag
//   broader_kind (text): of the tag it is part of
//   broader_name (text): of the tag it is part of
MATCH (n:Tag)-[:PART_OF]->(t:Tag)
RETURN n.kind AS kind, n.name AS name, t.kind AS broader_kind, t.name AS broader_name
