// How many pieces of content there are; alone in its statement an engine knows it without counting.
// Parameters: none
// Columns:
//   nodes (int): all of them
MATCH (n:Content)
RETURN count(*) AS nodes
