// How many tags there are; alone in its statement an engine knows it without counting.
// Parameters: none
// Columns:
//   nodes (int): all of them
MATCH (n:Tag)
RETURN count(*) AS nodes
