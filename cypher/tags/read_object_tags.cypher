// Direct tags of some items and content.
// Parameters:
//   item_ids (list of text): of items
//   content_ids (list of text): of content
// Columns:
//   object_kind (text): label of the object
//   object_id (text): of the object
//   kind (text): of the tag
//   name (text): of the tag
//   weight (float): of the tag on the object
UNWIND $item_ids AS id
MATCH (o:Item {id: id})-[h:HAS_TAG]->(t:Tag)
RETURN 'Item' AS object_kind, id AS object_id, t.kind AS kind, t.name AS name, h.weight AS weight
UNION ALL
UNWIND $content_ids AS id
MATCH (o:Content {id: id})-[h:HAS_TAG]->(t:Tag)
RETURN 'Content' AS object_kind, id AS object_id, t.kind AS kind, t.name AS name, h.weight AS weight
