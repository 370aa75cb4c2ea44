// All tags that the given tags are part of, however far: to refuse cycles.
// Parameters:
//   rows (list of [kind, name]): where the walk starts
// Columns:
//   kind (text): of the start
//   name (text): of the start
//   broader (list of [kind, name]): all tags it is part of, however far
UNWIND $rows AS r
MATCH (n:Tag {kind: r[0], name: r[1]})-[:PART_OF*1..16]->(t:Tag)
RETURN n.kind AS kind, n.name AS name, collect(DISTINCT [t.kind, t.name]) AS broader
