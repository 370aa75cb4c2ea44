// A typical user to look at: of the first so many users, the one whose number of events comes nearest to a wanted one.
// Parameters:
//   events (int): wanted
//   looked_at (int): no more users than this are looked at
// Columns:
//   id (text): of the user
//   name (text): the property `name`, or null
MATCH (u:User)
WITH u
LIMIT $looked_at
CALL (u) {
  MATCH (u)-[e:EVENT_TYPES]->()
  WITH e
  LIMIT 1000
  RETURN count(e) AS events
}
RETURN u.id AS id, u.name AS name
ORDER BY abs(events - $events), id
LIMIT 1
