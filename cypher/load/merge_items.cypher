// Create the items that events name where they are missing.
// Parameters:
//   ids (list of text): distinct, sorted
UNWIND $ids AS id
MERGE (o:Item {id: id})
ON CREATE SET o.embed_due = o.id
