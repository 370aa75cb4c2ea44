// Take items away with all that was computed for them.
// Parameters:
//   ids (list of text): of the items
UNWIND $ids AS id
MATCH (n:Item {id: id})
DETACH DELETE n
