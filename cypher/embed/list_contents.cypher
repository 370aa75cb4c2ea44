// Ids of all contents.
// Columns:
//   id (text): of the node
MATCH (o:Content)
RETURN o.id AS id
