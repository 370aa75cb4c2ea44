// Write the ten strongest positive tags of users as a property, for people who just want to filter, and the revision they were computed at.
// Parameters:
//   user_ids (list of text): locked in this transaction
//   long_rate (float, per ms): ln 2 / long half-life
// Columns:
//   user_id (text): of the user
//   interests (int): how many the user has
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
OPTIONAL MATCH (u)-[r:INTERESTED_IN]->(t:Tag)
WITH u, r, t, CASE WHEN r.long > 0 THEN round(log(r.long) + r.last_at * $long_rate, 9) END AS strength
ORDER BY u.id, strength DESC, t.kind, t.name
WITH u, count(r) AS interests, collect(CASE WHEN strength IS NOT NULL THEN t.name END) AS names
SET u.top_tags = names[..10], u.tags_rev = u.rev
RETURN u.id AS user_id, interests
