// Write the winning properties of described contents.
// Parameters:
//   rows (list of [id, map of properties, JSON of their times]): ends that exist
UNWIND $rows AS r
MATCH (n:Content {id: r[0]})
SET n += r[1], n.described = r[2], n.embed_due = n.id
