// What leads from a user to contents: people other than the user who chose them (at most 100 of each are looked at, those the engine comes to first), and of the recommended ones the two tags that the user is most interested in. All in one row: the driver's work on a row is more than on what it holds.
// Parameters:
//   user_id (text): of the user
//   ids (list of text): of the contents, the user's own among them
//   recommended (list of text): those whose tags are wanted
// Columns:
//   objects (list of [id, title, people, tags]): the title is a text or null; people is a list of what the engine calls them; tags is a list of [kind, name, events of the user]
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
CALL (u, o) {
  WITH u, o
  WHERE o.id IN $recommended
  MATCH (o)-[h:HAS_TAG]->(t:Tag)
  MATCH (u)-[r:INTERESTED_IN]->(t)
  WHERE r.long > 0
  WITH t, r, h.weight * r.events AS worth
  ORDER BY worth DESC, t.kind, t.name
  LIMIT 2
  RETURN collect([t.kind, t.name, r.events]) AS tags
}
RETURN collect([id, o.title, people, tags]) AS objects
