// The tags with the most events behind direct interests.
// Parameters:
//   limit (int): rows at most
// Columns:
//   kind (text): of the tag
//   name (text): of the tag
//   events (int): behind direct interests, all users together
MATCH (t:Tag)
WHERE t.interest_direct > 0
RETURN t.kind AS kind, t.name AS name, t.interest_direct AS events
ORDER BY events DESC, kind, name
LIMIT $limit
