// Ids of items whose vector is missing or whose description changed.
// Columns:
//   id (text): of the node
MATCH (o:Item)
WHERE o.embed_due > ''
RETURN o.id AS id
