// A user's direct interests, those with most events first.
// Parameters:
//   id (text): of the user
//   limit (int): tags at most
// Columns:
//   total (int): tags
//   shown (list of [kind, tag, events]): the largest of them
MATCH (:User {id: $id})-[r:INTERESTED_IN {direct: true}]->(t:Tag)
WITH t, r
ORDER BY r.events DESC, t.kind, t.name
WITH collect([t.kind, t.name, r.events]) AS found
RETURN size(found) AS total, found[0..$limit] AS shown
