// One tag with the events behind interests in it.
// Parameters:
//   kind (text): of the tag
//   tag (text): its name
// Columns:
//   kind (text): of the tag
//   tag (text): its name
//   events (int): behind all interests in it, tags below it included
//   direct (int): behind direct interests
//   properties (map): source properties and the ones the system keeps
MATCH (t:Tag {kind: $kind, name: $tag})
RETURN t.kind AS kind, t.name AS tag, coalesce(t.interest_events, 0) AS events, coalesce(t.interest_direct, 0) AS direct,
  properties(t) AS properties
