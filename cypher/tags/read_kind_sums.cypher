// What is kept of users of their positive interests in direct tags, by kind of tag, for the check.
// Parameters:
//   user_ids (list of text): whose
// Columns:
//   user_id (text): whose
//   kinds (list of text): of the tags; null where it was never computed
//   sums (list of float): of each kind, as of `at`
//   at (int, epoch ms): the newest event behind any interest; null without one
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
RETURN user_id, u.interest_kinds AS kinds, u.interest_sums AS sums, u.interests_at AS at
