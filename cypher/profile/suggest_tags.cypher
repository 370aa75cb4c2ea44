// Tags whose name begins like a text, whatever its case.
// Parameters:
//   prefix (text): in small letters
// Columns:
//   kind (text): of the tag
//   name (text): of the tag
MATCH (t:Tag)
WHERE toLower(t.name) STARTS WITH $prefix
RETURN t.kind AS kind, t.name AS name
ORDER BY name, kind
LIMIT 1000
