// Delete what a restore that was broken off had written.
// Parameters:
//   limit (int): nodes at most
// Columns:
//   deleted (int): nodes
MATCH (n)
WHERE NOT (n:Schema AND coalesce(n.id, '') = 'graphprofile')
WITH n LIMIT $limit
DETACH DELETE n
RETURN count(*) AS deleted
