// How many events stand behind everybody's interest in a tag.
// Parameters:
//   kind (text): of the tag
//   name (text): of the tag
// Columns:
//   events (int): behind it
MATCH (t:Tag {kind: $kind, name: $name})
RETURN coalesce(t.interest_events, 0) AS events
