// Some values of one property of users, which show its type.
// Parameters:
//   property (text): its name
// Columns:
//   value (any): of a user
MATCH (u:User)
WHERE u[$property] IS NOT NULL
RETURN u[$property] AS value
LIMIT 100
