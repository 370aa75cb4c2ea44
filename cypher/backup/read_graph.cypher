// All nodes, each with the relationships that leave it; those of a node with very many are left to be read one by one.
// Parameters:
//   most (int): relationships of a node in one row at most
// Columns:
//   node (text): engine's own id
//   labels (list of text): in any order
//   properties (map): all of them
//   leaving (list of [type, engine's id of the other end, properties]): null where they are too many
MATCH (n)
RETURN elementId(n) AS node, labels(n) AS labels, properties(n) AS properties,
  CASE WHEN COUNT { (n)-->() } > $most THEN null
    ELSE [(n)-[r]->(m) | [type(r), elementId(m), properties(r)]] END AS leaving
