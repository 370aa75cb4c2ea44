// The tags that are part of a tag, those with most events first.
// Parameters:
//   kind (text): of the tag
//   tag (text): its name
//   limit (int): at most so many
// Columns:
//   kind (text): of the narrower tag
//   tag (text): its name
//   events (int): behind all interests in it
MATCH (:Tag {kind: $kind, name: $tag})<-[:PART_OF]-(n:Tag)
RETURN n.kind AS kind, n.name AS tag, coalesce(n.interest_events, 0) AS events
ORDER BY events DESC, kind, tag
LIMIT $limit
