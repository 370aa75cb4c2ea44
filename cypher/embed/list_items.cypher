// Ids of all items.
// Columns:
//   id (text): of the node
MATCH (o:Item)
RETURN o.id AS id
