// Ids of contents whose vector is missing or whose description changed.
// Columns:
//   id (text): of the node
MATCH (o:Content {embed_due: true})
RETURN o.id AS id
