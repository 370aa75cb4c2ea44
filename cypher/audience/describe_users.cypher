// What a list says of users.
// Parameters:
//   ids (list of text): of the users
// Columns:
//   id (text): of the user
//   properties (map): source properties and the ones the system keeps, without the vectors
//   events (int): of the user
//   last_at (int, epoch ms): the newest of them, or null
UNWIND $ids AS id
MATCH (u:User {id: id})
OPTIONAL MATCH (u)-[e:EVENT_TYPES]->()
WITH id, u, count(e) AS events, max(e.ts) AS last_at
RETURN id, u {.*, embedding: null, embedding_before: null} AS properties, events, last_at
ORDER BY id
