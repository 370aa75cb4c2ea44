// Titles of contents, and people other than the user who chose them: at most 100 of each are looked at, those the engine comes to first.
// Parameters:
//   user_id (text): of the user
//   ids (list of text): of the contents
// Columns:
//   id (text): of the node
//   title (text): or null
//   people (list of text): what the engine calls the people
MATCH (u:User {id: $user_id})
UNWIND $ids AS id
MATCH (o:Content {id: id})
CALL (u, o) {
  MATCH (o)<-[:EVENT_TYPES]-(v:User)
  WHERE v <> u
  WITH v
  LIMIT 100
  RETURN collect(DISTINCT elementId(v)) AS people
}
RETURN id, o.title AS title, people
