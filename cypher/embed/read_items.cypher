// Descriptions of all items: tags with weights, properties, no vector.
// Columns:
//   id (text): of the node
//   properties (map): source properties and the ones the system keeps
//   tags (list of [kind, name, weight]): direct tags; [null, null, null] stands for none
MATCH (o:Item)
OPTIONAL MATCH (o)-[h:HAS_TAG]->(t:Tag)
WITH o, collect([t.kind, t.name, h.weight]) AS tags
RETURN o.id AS id, o {.*, embedding: null, embedding_before: null} AS properties, tags
