// The direct tags of users, beside everybody's.
// Parameters:
//   ids (list of text): of the users
// Columns:
//   kind (text): of the tag
//   name (text): of the tag
//   users (int): of these, with a positive interest in it
//   events (int): of these users, behind it
//   everybody (int): everybody's events behind direct interests in it
UNWIND $ids AS id
MATCH (u:User {id: id})-[r:INTERESTED_IN]->(t:Tag)
WHERE r.direct AND r.long > 0
WITH t, count(r) AS users, sum(r.events) AS events
RETURN t.kind AS kind, t.name AS name, users, events, coalesce(t.interest_direct, 0) AS everybody
