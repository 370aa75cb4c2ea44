// Raise the revision of everybody with an event on these items: their tags changed.
// Parameters:
//   ids (list of text): of the items
UNWIND $ids AS id
MATCH (u:User)-[:EVENT_TYPES]->(:Item {id: id})
WITH DISTINCT u
SET u.rev = coalesce(u.rev, 0) + 1, u.tags_due = u.id, u.embed_due = u.id
