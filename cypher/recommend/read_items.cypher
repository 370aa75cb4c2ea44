// What a recommendation shows of items.
// Parameters:
//   ids (list of text): of the items
// Columns:
//   id (text): of the node
//   title (text): or null
UNWIND $ids AS id
MATCH (o:Item {id: id})
RETURN o.id AS id, o.title AS title
