// Create users who are only the object of an event (somebody followed them) where they are missing.
// Parameters:
//   ids (list of text): distinct, sorted
UNWIND $ids AS id
MERGE (o:User {id: id})
ON CREATE SET o.rev = timestamp(), o.embed_due = o.id
WITH o
WHERE o.tags_rev IS NULL AND o.tags_due IS NULL
SET o.tags_rev = o.rev
