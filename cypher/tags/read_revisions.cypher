// The revisions of users whose interests are about to be computed: read before their events, so that what comes meanwhile shows.
// Parameters:
//   user_ids (list of text): whose
// Columns:
//   user_id (text): of a user who exists
//   rev (int): raised by everything that changes what interests depend on
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
RETURN u.id AS user_id, u.rev AS rev
