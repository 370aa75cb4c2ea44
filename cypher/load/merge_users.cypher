// Create users who are only the object of an event (somebody followed them) where they are missing.
// Parameters:
//   ids (list of text): distinct, sorted
UNWIND $ids AS id
MERGE (o:User {id: id})
ON CREATE SET o.rev = 1, o.tags_rev = 1, o.embed_due = o.id
