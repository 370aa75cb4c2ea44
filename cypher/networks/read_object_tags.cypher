// The direct tags of all items and content.
// Parameters: none
// Columns:
//   label (text): of the object
//   object (text): its id
//   kind (text): of the tag
//   name (text): of the tag
//   weight (float): of the tag on the object
MATCH (o)-[h:HAS_TAG]->(t:Tag)
RETURN head(labels(o)) AS label, o.id AS object, t.kind AS kind, t.name AS name, h.weight AS weight
