// The relationships that leave one node.
// Parameters:
//   node (text): engine's own id
// Columns:
//   type (text): of the relationship
//   other (text): engine's id of the other end
//   properties (map): of the relationship
MATCH (n)-[r]->(m)
WHERE elementId(n) = $node
RETURN type(r) AS type, elementId(m) AS other, properties(r) AS properties
