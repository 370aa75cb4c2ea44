// Id and properties of all items, without the vector.
// Columns:
//   id (text): of the node
//   properties (map): source properties and the ones the system keeps
MATCH (n:Item)
RETURN n.id AS id, n {.*, embedding: null, embedding_before: null} AS properties
