// Tags of a name.
// Parameters:
//   name (text): of the tag
// Columns:
//   kind (text): of the tag
//   name (text): of the tag
MATCH (t:Tag {name: $name})
RETURN t.kind AS kind, t.name AS name
ORDER BY kind
