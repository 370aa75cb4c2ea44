// Take users away with all that was computed for them.
// Parameters:
//   ids (list of text): of the users
UNWIND $ids AS id
MATCH (n:User {id: id})
DETACH DELETE n
