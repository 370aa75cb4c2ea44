// Put the direct tags on items; the tags exist.
// Parameters:
//   rows (list of [id, kind, name, weight]): one per tag
UNWIND $rows AS r
MATCH (o:Item {id: r[0]})
MATCH (t:Tag {kind: r[1], name: r[2]})
CREATE (o)-[:HAS_TAG {weight: r[3]}]->(t)
