// The direct tags of what each user has dealt with: one row per user.
// Parameters: none
// Columns:
//   user (text): id
//   tags (list of [kind, name, events]): events counted by the interests
MATCH (u:User)-[r:INTERESTED_IN {direct: true}]->(t:Tag)
WITH u, collect([t.kind, t.name, r.events]) AS tags
RETURN u.id AS user, tags
