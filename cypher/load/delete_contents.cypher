// Take contents away with all that was computed for them.
// Parameters:
//   ids (list of text): of the contents
UNWIND $ids AS id
MATCH (n:Content {id: id})
DETACH DELETE n
