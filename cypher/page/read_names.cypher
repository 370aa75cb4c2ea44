// Names of some users.
// Parameters:
//   user_ids (list of text): whose
// Columns:
//   id (text): of the user
//   name (text): the property `name`, or null
UNWIND $user_ids AS id
MATCH (u:User {id: id})
RETURN id, u.name AS name
