// Write computed interests of locked users, remove those that no event supports any more.
// Parameters:
//   rows (list of [user id, interests]): interests as tags/compute_interests gives them
// Columns:
//   kind (text): of a tag whose interests were written
//   name (text): of the tag
//   events (int): by how many events behind them its interests grew
//   direct (int): the same, of interests in a tag that stands directly on an object
UNWIND $rows AS row
MATCH (u:User {id: row[0]})
UNWIND row[1] AS interest
MATCH (t:Tag {kind: interest[0], name: interest[1]})
OPTIONAL MATCH (u)-[r:INTERESTED_IN]->(t)
WITH u, t, r, interest[2] AS now
WITH u, t, r, now,
     coalesce(now.events, 0) - coalesce(r.events, 0) AS events,
     CASE WHEN now.direct THEN now.events ELSE 0 END - CASE WHEN r.direct THEN r.events ELSE 0 END AS direct
FOREACH (_ IN CASE WHEN r IS NULL AND now IS NOT NULL THEN [1] ELSE [] END |
  CREATE (u)-[:INTERESTED_IN {
    short: now.short, long: now.long, events: now.events, first_at: now.first_at, last_at: now.last_at,
    direct: now.direct}]->(t))
FOREACH (_ IN CASE WHEN r IS NOT NULL AND now IS NOT NULL THEN [1] ELSE [] END |
  SET r.short = now.short, r.long = now.long, r.events = now.events, r.first_at = now.first_at,
      r.last_at = now.last_at, r.direct = now.direct)
FOREACH (_ IN CASE WHEN r IS NOT NULL AND now IS NULL THEN [1] ELSE [] END | DELETE r)
RETURN t.kind AS kind, t.name AS name, sum(events) AS events, sum(direct) AS direct
