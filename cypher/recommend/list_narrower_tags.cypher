// A tag and all tags below it.
// Parameters:
//   kind (text): of the tag
//   name (text): of the tag
// Columns:
//   kind (text): of a tag
//   name (text): of a tag
MATCH (:Tag {kind: $kind, name: $name})<-[:PART_OF*0..]-(t:Tag)
RETURN DISTINCT t.kind AS kind, t.name AS name
