// The tags that a tag is part of.
// Parameters:
//   kind (text): of the tag
//   tag (text): its name
//   limit (int): at most so many
// Columns:
//   kind (text): of the broader tag
//   tag (text): its name
//   events (int): behind all interests in it
MATCH (:Tag {kind: $kind, name: $tag})-[:PART_OF]->(b:Tag)
RETURN b.kind AS kind, b.name AS tag, coalesce(b.interest_events, 0) AS events
ORDER BY events DESC, kind, tag
LIMIT $limit
