// All tags with their properties.
// Columns:
//   kind (text): of the tag
//   name (text): of the tag
//   properties (map): source properties and the ones the system keeps
MATCH (t:Tag)
RETURN t.kind AS kind, t.name AS name, properties(t) AS properties
