// Which of these users have a tag among their strongest ones, as tags/set_top_tags orders them.
// Parameters:
//   ids (list of text): of the users
//   kind (text): of the tag
//   name (text): of the tag
//   top (int): how many are the strongest
//   long_rate (float, per ms): ln 2 / long half-life
// Columns:
//   id (text): of the user
UNWIND $ids AS id
MATCH (u:User {id: id})-[r:INTERESTED_IN]->(:Tag {kind: $kind, name: $name})
WHERE r.long > 0
WITH id, u, round(log(r.long) + r.last_at * $long_rate, 9) AS mine
MATCH (u)-[d:INTERESTED_IN]->(t:Tag)
WHERE d.long > 0
WITH id, mine, t.kind AS kind, t.name AS name, round(log(d.long) + d.last_at * $long_rate, 9) AS other
WITH id, sum(CASE WHEN other > mine OR (other = mine AND (kind < $kind OR (kind = $kind AND name < $name)))
                  THEN 1 ELSE 0 END) AS better
WHERE better < $top
RETURN id
