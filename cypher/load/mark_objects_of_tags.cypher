// Everything tagged at or below these tags is due for a vector: the hierarchy changed.
// Parameters:
//   rows (list of [kind, name]): tags that exist
UNWIND $rows AS r
MATCH (t:Tag {kind: r[0], name: r[1]})<-[:PART_OF*0..16]-(d:Tag)<-[:HAS_TAG]-(o)
WITH DISTINCT o
SET o.embed_due = o.id
