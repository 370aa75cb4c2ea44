// Which of these users nothing names any more: no event, no description, no relationship of somebody's own.
// Parameters:
//   ids (list of text): of the users
// Columns:
//   id (text): of a node that only interests hold
UNWIND $ids AS id
MATCH (n:User {id: id})
WHERE n.described IS NULL AND NOT EXISTS { (n)-[r]-() WHERE type(r) <> 'INTERESTED_IN' }
RETURN n.id AS id
