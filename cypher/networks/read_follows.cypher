// Which people each user dealt with, by following them for example: one row per user.
// Parameters: none
// Columns:
//   user (text): id
//   others (list of text): ids, one entry per event
MATCH (u:User)-[:EVENT_TYPES]->(o:User)
WITH u, collect(o.id) AS others
RETURN u.id AS user, others
