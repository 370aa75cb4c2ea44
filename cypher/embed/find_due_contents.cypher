// Those of some contents whose vector is missing or whose description changed.
// Parameters:
//   ids (list of text): of the contents
// Columns:
//   id (text): of the node
UNWIND $ids AS id
MATCH (o:Content {id: id})
WHERE o.embed_due > ''
RETURN o.id AS id
