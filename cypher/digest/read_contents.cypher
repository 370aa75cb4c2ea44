// Id and properties of all contents, without the vector.
// Columns:
//   id (text): of the node
//   properties (map): source properties and the ones the system keeps
MATCH (n:Content)
RETURN n.id AS id, n {.*, embedding: null, embedding_before: null} AS properties
