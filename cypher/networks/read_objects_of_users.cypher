// What each user has dealt with: one row per user, items and content only.
// Parameters: none
// Columns:
//   user (text): id
//   name (text): the property `name`, or null
//   objects (list of [label, id]): one entry per event
MATCH (u:User)-[:EVENT_TYPES]->(o)
WHERE NOT o:User
WITH u, collect([head(labels(o)), o.id]) AS objects
RETURN u.id AS user, u.name AS name, objects
