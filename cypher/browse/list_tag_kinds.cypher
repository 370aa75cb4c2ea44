// Kinds of tag.
// Columns:
//   kind (text): of some tags
MATCH (k:TagKind)
RETURN k.kind AS kind
ORDER BY kind
