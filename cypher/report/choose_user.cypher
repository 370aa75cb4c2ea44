// A typical user to look at: the one whose number of events comes nearest to a wanted one.
// Parameters:
//   events (int): wanted
// Columns:
//   id (text): of the user
MATCH (u:User)-[e:EVENT_TYPES]->()
WITH u, count(e) AS events
RETURN u.id AS id
ORDER BY abs(events - $events), id
LIMIT 1
