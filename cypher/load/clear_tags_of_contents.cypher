// Take the direct tags off contents whose tags changed.
// Parameters:
//   ids (list of text): of the contents
UNWIND $ids AS id
MATCH (o:Content {id: id})-[h:HAS_TAG]->(:Tag)
DELETE h
