// Ids of contents whose vector is missing or whose description changed.
// Columns:
//   id (text): of the node
MATCH (o:Content)
WHERE o.embed_due > ''
RETURN o.id AS id
