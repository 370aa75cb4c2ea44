// Write the properties that tags have by the descriptions that are left.
// Parameters:
//   rows (list of [kind, name, map of properties, JSON of their times or null]): nulls in the map take properties away
UNWIND $rows AS r
MATCH (n:Tag {kind: r[0], name: r[1]})
SET n += r[2], n.described = r[3]
