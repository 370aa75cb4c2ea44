// Which of these users were seen first, or last, in a time.
// Parameters:
//   ids (list of text): of the users
//   first (bool): the first event counts, else the last
//   since (int, epoch ms): not before
//   until (int, epoch ms): not after
// Columns:
//   id (text): of the user
UNWIND $ids AS id
MATCH (u:User {id: id})-[e:EVENT_TYPES]->()
WITH id, min(e.ts) AS first_at, max(e.ts) AS last_at
WITH id, CASE WHEN $first THEN first_at ELSE last_at END AS at
WHERE at >= $since AND at <= $until
RETURN id
