// Raise the revision of everybody with an event on something tagged at or below these tags: the hierarchy changed.
// Parameters:
//   rows (list of [kind, name]): tags that exist
UNWIND $rows AS r
MATCH (t:Tag {kind: r[0], name: r[1]})<-[:PART_OF*0..16]-(d:Tag)<-[:HAS_TAG]-(o)<-[:EVENT_TYPES]-(u:User)
WITH DISTINCT u
SET u.rev = coalesce(u.rev, 0) + 1, u.tags_due = u.id, u.embed_due = u.id
