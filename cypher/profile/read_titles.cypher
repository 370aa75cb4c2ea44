// Titles of items and content.
// Parameters:
//   item_ids (list of text): of items
//   content_ids (list of text): of content
// Columns:
//   object_kind (text): label of the object
//   object_id (text): of the object
//   title (text): or null
UNWIND $item_ids AS id
MATCH (o:Item {id: id})
RETURN 'Item' AS object_kind, id AS object_id, o.title AS title
UNION ALL
UNWIND $content_ids AS id
MATCH (o:Content {id: id})
RETURN 'Content' AS object_kind, id AS object_id, o.title AS title
