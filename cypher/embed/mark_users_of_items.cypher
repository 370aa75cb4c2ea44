// Vectors of users rest on these items, whose own vectors changed: they are due again.
// Parameters:
//   ids (list of text): of the items
UNWIND $ids AS id
MATCH (u:User)-[:EVENT_TYPES]->(:Item {id: id})
WITH DISTINCT u
SET u.embed_due = u.id
SET u.embedding_rev = null, u.embedding_before_rev = null
