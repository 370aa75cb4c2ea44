// Ids of the items with a vector of one model on which somebody has an event.
// Parameters:
//   model (text): its version
// Columns:
//   id (text): of the item
MATCH (n:Item)
WHERE (n.embedding_model = $model OR n.embedding_before_model = $model) AND EXISTS { (n)<-[:EVENT_TYPES]-() }
RETURN n.id AS id
