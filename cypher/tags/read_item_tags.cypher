// Direct tags of all items and content.
// Columns:
//   object_kind (text): label of the object
//   object_id (text): of the object
//   kind (text): of the tag
//   name (text): of the tag
//   weight (float): of the tag on the object
MATCH (o)-[h:HAS_TAG]->(t:Tag)
RETURN labels(o)[0] AS object_kind, o.id AS object_id, t.kind AS kind, t.name AS name, h.weight AS weight
