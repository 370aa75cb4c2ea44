// Take the broader tags off tags whose place in the hierarchy changed.
// Parameters:
//   rows (list of [kind, name]): tags that exist
UNWIND $rows AS r
MATCH (n:Tag {kind: r[0], name: r[1]})-[p:PART_OF]->(:Tag)
DELETE p
