// The model in use.
// Columns:
//   version (text): of the model
MATCH (m:Model {in_use: true})
RETURN m.version AS version
