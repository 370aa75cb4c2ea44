// What a recommendation shows of contents.
// Parameters:
//   ids (list of text): of the contents
// Columns:
//   id (text): of the node
//   title (text): or null
UNWIND $ids AS id
MATCH (o:Content {id: id})
RETURN o.id AS id, o.title AS title
