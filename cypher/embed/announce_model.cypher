// Note that vectors of a model are being written; it is not yet in use, and no other is on its way any more.
// Parameters:
//   version (text): of the model
MERGE (m:Model {version: $version})
SET m.coming = true
WITH m
MATCH (other:Model)
WHERE other.version <> $version
SET other.coming = null
