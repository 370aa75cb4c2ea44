// Names of the properties that some of the users have.
// Columns:
//   name (text): of a property
MATCH (u:User)
WITH u
LIMIT 2000
UNWIND keys(u) AS name
RETURN DISTINCT name
