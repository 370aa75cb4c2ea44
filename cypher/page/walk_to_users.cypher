// Who had to do with one user, by following for one, newest first, of the first so many events.
// Parameters:
//   id (text): of the user
//   looked_at (int): no more events than this are looked at
//   limit (int): people at most
// Columns:
//   total (int): people among them
//   shown (list of [id, name, events, last_ts]): the newest of them
MATCH (:User {id: $id})<-[e:EVENT_TYPES]-(u:User)
WITH e, u
LIMIT $looked_at
WITH u, count(e) AS events, max(e.ts) AS last_ts
ORDER BY last_ts DESC, u.id
WITH collect([u.id, u.name, events, last_ts]) AS found
RETURN size(found) AS total, found[0..$limit] AS shown
