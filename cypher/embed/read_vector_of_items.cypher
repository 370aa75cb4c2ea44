// The stored vector of one of the items.
// Parameters:
//   id (text): of the node
// Columns:
//   embedding (list of float): the vector, or null
//   model (text): version, or null
MATCH (o:Item {id: $id})
RETURN o.embedding AS embedding, o.embedding_model AS model
