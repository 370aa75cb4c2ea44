// Write what the positive interests of users in direct tags come to, by kind of tag: a share is part of that, and who counts shares need not add up everybody's interests again.
// Parameters:
//   user_ids (list of text): locked in this transaction
//   long_rate (float, per ms): ln 2 / long half-life
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
OPTIONAL MATCH (u)-[of:INTERESTED_IN]->(:Tag)
WITH u, max(of.last_at) AS latest
CALL (u, latest) {
  MATCH (u)-[r:INTERESTED_IN]->(t:Tag)
  WHERE r.direct AND r.long > 0
  WITH t.kind AS kind, sum(r.long * exp((r.last_at - latest) * $long_rate)) AS total
  ORDER BY kind
  RETURN collect(kind) AS kinds, collect(total) AS totals
}
SET u.interest_kinds = kinds, u.interest_sums = totals, u.interests_at = latest
