// Ids of items whose vector is missing or whose description changed.
// Columns:
//   id (text): of the node
MATCH (o:Item {embed_due: true})
RETURN o.id AS id
