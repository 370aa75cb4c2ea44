// How many users have an event.
// Parameters: none
// Columns:
//   users (int): with at least one
MATCH (u:User)
WHERE EXISTS { (u)-[:EVENT_TYPES]->() }
RETURN count(u) AS users
