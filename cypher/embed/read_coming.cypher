// The model whose vectors are being written, or were when that was broken off.
// Columns:
//   version (text): of the model
MATCH (m:Model {coming: true})
RETURN m.version AS version
