// Titles of contents, and people other than the user who chose them: at most 100 of each are looked at, those the engine comes to first. All in one row: the driver's work on a row is more than on what it holds.
// Parameters:
//   user_id (text): of the user
//   ids (list of text): of the contents
// Columns:
//   objects (list of [id, title, people]): the title is a text or null; people is a list of what the engine calls them
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
RETURN collect([id, o.title, people]) AS objects
