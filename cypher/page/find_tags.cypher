// Tags whose names hold a text, those with most events first, among the first so many that the engine comes upon.
// Parameters:
//   search (text): in small letters
//   looked_at (int): no more tags than this are looked at
//   limit (int): at most so many
// Columns:
//   kind (text): of the tag
//   tag (text): its name
//   events (int): behind all interests in it
MATCH (t:Tag)
WITH t
LIMIT $looked_at
WHERE toLower(t.name) CONTAINS $search
RETURN t.kind AS kind, t.name AS tag, coalesce(t.interest_events, 0) AS events
ORDER BY events DESC, kind, tag
LIMIT $limit
