// Take the direct tags off items whose tags changed.
// Parameters:
//   ids (list of text): of the items
UNWIND $ids AS id
MATCH (o:Item {id: id})-[h:HAS_TAG]->(:Tag)
DELETE h
