// The totals kept on tags, for the check.
// Columns:
//   kind (text): of the tag
//   name (text): of the tag
//   events (int): kept total
//   direct (int): kept total of direct interests
MATCH (t:Tag)
WHERE t.interest_events <> 0
RETURN t.kind AS kind, t.name AS name, t.interest_events AS events, t.interest_direct AS direct
