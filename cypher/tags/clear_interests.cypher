// Remove the interests of locked users and tell what each tag loses.
// Parameters:
//   user_ids (list of text): locked in this transaction
// Columns:
//   kind (text): of the tag
//   name (text): of the tag
//   events (int): events behind the removed interests
//   direct (int): the same, of interests in a tag that stands directly on an object
UNWIND $user_ids AS user_id
MATCH (:User {id: user_id})-[r:INTERESTED_IN]->(t:Tag)
WITH r, t, r.events AS events, CASE WHEN r.direct THEN r.events ELSE 0 END AS direct
DELETE r
RETURN t.kind AS kind, t.name AS name, sum(events) AS events, sum(direct) AS direct
