// How often a user did what, and when first and last.
// Parameters:
//   user_id (text): of the user
//   until (int, epoch ms): later events don't count
// Columns:
//   type (text): relationship type
//   events (int): of that type
//   first_at (int, epoch ms): the first of them
//   last_at (int, epoch ms): the last of them
MATCH (u:User {id: $user_id})-[e:EVENT_TYPES]->()
WHERE e.ts <= $until
RETURN type(e) AS type, count(e) AS events, min(e.ts) AS first_at, max(e.ts) AS last_at
