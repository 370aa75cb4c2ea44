// What one user had to do with, newest first, of the first so many events that the engine comes upon.
// Parameters:
//   id (text): of the user
//   looked_at (int): no more events than this are looked at
//   limit (int): objects at most
// Columns:
//   total (int): objects among them
//   shown (list of [label, id, title, name, events, last_ts]): the newest of them; a user has no title, a thing no name
MATCH (:User {id: $id})-[e:EVENT_TYPES]->(o)
WITH e, o
LIMIT $looked_at
WITH o, count(e) AS events, max(e.ts) AS last_ts
ORDER BY last_ts DESC, o.id
WITH collect([head(labels(o)), o.id, o.title, CASE WHEN o:User THEN o.name END, events, last_ts]) AS found
RETURN size(found) AS total, found[0..$limit] AS shown
