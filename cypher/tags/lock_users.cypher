// Lock users whose interests are about to be recomputed.
// Parameters:
//   user_ids (list of text): sorted
// Columns:
//   user_id (text): of a user who exists
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
SET u.tags_due = null
RETURN u.id AS user_id
