// Write the winning properties of described tags.
// Parameters:
//   rows (list of [kind, name, map of properties, JSON of their times]): tags that exist
UNWIND $rows AS r
MATCH (n:Tag {kind: r[0], name: r[1]})
SET n += r[2], n.described = r[3]
