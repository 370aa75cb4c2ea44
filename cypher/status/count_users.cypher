// How many users there are; alone in its statement an engine knows it without counting.
// Parameters: none
// Columns:
//   nodes (int): all of them
MATCH (n:User)
RETURN count(*) AS nodes
