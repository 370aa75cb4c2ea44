// The hierarchy of the tags.
// Parameters: none
// Columns:
//   kind (text): of the narrower tag
//   name (text): of the narrower tag
//   broader_kind (text): of the tag it is part of
//   broader_name (text): of the tag it is part of
MATCH (t:Tag)-[:PART_OF]->(b:Tag)
RETURN t.kind AS kind, t.name AS name, b.kind AS broader_kind, b.name AS broader_name
