// Those of some items whose vector is missing or whose description changed.
// Parameters:
//   ids (list of text): of the items
// Columns:
//   id (text): of the node
UNWIND $ids AS id
MATCH (o:Item {id: id})
WHERE o.embed_due > ''
RETURN o.id AS id
