// The exact fields of all interests.
// Columns:
//   user_id (text): whose
//   kind (text): of the tag
//   name (text): of the tag
//   events (int): behind it
//   first_at (int, epoch ms): the first of them
//   last_at (int, epoch ms): the last of them
MATCH (u:User)-[r:INTERESTED_IN]->(t:Tag)
RETURN u.id AS user_id, t.kind AS kind, t.name AS name, r.events AS events, r.first_at AS first_at, r.last_at AS last_at
