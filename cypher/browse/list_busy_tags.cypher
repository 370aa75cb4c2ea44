// The tags that most events stand behind.
// Parameters:
//   limit (int): at most so many
// Columns:
//   kind (text): of the tag
//   name (text): of the tag
//   events (int): behind all interests in it
MATCH (t:Tag)
WHERE t.interest_events > 0
RETURN t.kind AS kind, t.name AS name, t.interest_events AS events
ORDER BY events DESC, name, kind
LIMIT $limit
