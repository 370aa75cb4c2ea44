// Write the ten strongest positive tags of users as a property, for people who just want to filter, and the revision they were computed at.
// Parameters:
//   user_ids (list of text): locked in this transaction
//   long_rate (float, per ms): ln 2 / long half-life
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
CALL (u) {
  MATCH (u)-[r:INTERESTED_IN]->(t:Tag)
  WHERE r.long > 0
  WITH t, round(log(r.long) + r.last_at * $long_rate, 9) AS strength
  ORDER BY strength DESC, t.kind, t.name
  LIMIT 10
  RETURN collect(t.name) AS names
}
SET u.top_tags = names, u.tags_rev = u.rev
