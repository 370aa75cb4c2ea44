// Make tags part of broader tags; both exist.
// Parameters:
//   rows (list of [kind, name, broader kind, broader name]): one per edge
UNWIND $rows AS r
MATCH (n:Tag {kind: r[0], name: r[1]})
MATCH (t:Tag {kind: r[2], name: r[3]})
CREATE (n)-[:PART_OF]->(t)
