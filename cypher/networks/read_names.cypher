// Names of some users.
// Parameters:
//   ids (list of text): of the users
// Columns:
//   user (text): id
//   name (text): the property `name`, or null
UNWIND $ids AS id
MATCH (u:User {id: id})
RETURN u.id AS user, u.name AS name
