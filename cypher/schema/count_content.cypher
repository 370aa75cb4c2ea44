// Whether a graph holds anything besides its own record: at most one row is looked at.
// Columns:
//   nodes (int): 0 or 1
MATCH (n)
WHERE NOT n:Schema
WITH n LIMIT 1
RETURN count(n) AS nodes
