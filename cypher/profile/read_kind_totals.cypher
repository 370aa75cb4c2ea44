// What everybody's interests come to, by kind of tag.
// Columns:
//   kind (text): of the tags
//   direct (int): events behind direct interests
//   tags (int): tags with any
MATCH (k:TagKind)
RETURN k.kind AS kind, k.interest_direct AS direct, k.tags AS tags
