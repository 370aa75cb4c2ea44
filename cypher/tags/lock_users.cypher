// Lock users whose interests were computed; who changed since stays due. One whom somebody else made has no revision.
// Parameters:
//   rows (list of [id, rev]): sorted; the revision the interests were computed at
// Columns:
//   user_id (text): of a user who has not changed since
UNWIND $rows AS row
MATCH (u:User {id: row[0]})
SET u.tags_due = null
WITH u, coalesce(u.rev, 0) = coalesce(row[1], 0) AS same
SET u.tags_due = CASE WHEN same THEN null ELSE u.id END
WITH u, same
WHERE same
RETURN u.id AS user_id
