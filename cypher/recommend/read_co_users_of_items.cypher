// People who chose one of these items and something the user chose too: how many, and through what. At most 50 people an object are looked at.
// Parameters:
//   user_id (text): of the user
//   ids (list of text): of the items
//   own (list of text): ids of what the user chose
// Columns:
//   id (text): of the node
//   users (int): people who share something
//   through (list of text): titles (or ids) of what they share, most shared first
UNWIND $ids AS id
MATCH (o:Item {id: id})
CALL (o) {
  MATCH (o)<-[:EVENT_TYPES]-(v:User)
  WHERE v.id <> $user_id
  RETURN DISTINCT v
  ORDER BY v.id
  LIMIT 50
}
MATCH (v)-[:EVENT_TYPES]->(s)
WHERE s.id IN $own AND s.id <> id
WITH id, s, count(DISTINCT v) AS sharing, collect(DISTINCT v.id) AS people
ORDER BY id, sharing DESC, s.id
WITH id, collect(coalesce(s.title, s.id))[..2] AS through, collect(people) AS groups
UNWIND groups AS people
UNWIND people AS person
RETURN id, count(DISTINCT person) AS users, through
