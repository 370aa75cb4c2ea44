// The stored interests of users.
// Parameters:
//   user_ids (list of text): whose
// Columns:
//   user_id (text): whose
//   kind (text): of the tag
//   name (text): of the tag
//   short (float): score as of last_at, short half-life
//   long (float): score as of last_at, long half-life
//   events (int): behind it
//   first_at (int, epoch ms): the first of them
//   last_at (int, epoch ms): the last of them
//   direct (bool): whether the tag stands directly on an object of theirs
//   total (int): events of everybody in this tag
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})-[r:INTERESTED_IN]->(t:Tag)
RETURN user_id, t.kind AS kind, t.name AS name, r.short AS short, r.long AS long, r.events AS events, r.first_at AS first_at, r.last_at AS last_at, r.direct AS direct, t.interest_events AS total
