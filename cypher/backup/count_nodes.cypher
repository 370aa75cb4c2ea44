// How many nodes there are, of any label.
// Columns:
//   nodes (int): all of them
MATCH (n)
RETURN count(n) AS nodes
