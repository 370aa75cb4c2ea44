// What everybody's direct interests come to, by kind of tag.
// Columns:
//   kind (text): of the tags
//   events (int): behind direct interests in them
//   tags (int): how many there are
MATCH (k:TagKind)
RETURN k.kind AS kind, coalesce(k.interest_direct, 0) AS events, coalesce(k.tags, 0) AS tags
