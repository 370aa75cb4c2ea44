// Write the properties that contents have by the descriptions that are left.
// Parameters:
//   rows (list of [id, map of properties, JSON of their times or null]): nulls in the map take properties away
UNWIND $rows AS r
MATCH (n:Content {id: r[0]})
SET n += r[1], n.described = r[2], n.embed_due = n.id
