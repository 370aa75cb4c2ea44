// Tags whose name holds a text, in the order of their names, a page at a time.
// Parameters:
//   search (text): in small letters; an empty text takes all
//   after (text): names after this one, or this one with a kind after the next
//   after_kind (text): see there
//   limit (int): at most so many
// Columns:
//   kind (text): of the tag
//   name (text): of the tag
//   events (int): behind all interests in it
MATCH (t:Tag)
WHERE (t.name > $after OR (t.name = $after AND t.kind > $after_kind)) AND ($search = '' OR toLower(t.name) CONTAINS $search)
RETURN t.kind AS kind, t.name AS name, coalesce(t.interest_events, 0) AS events
ORDER BY name, kind
LIMIT $limit
