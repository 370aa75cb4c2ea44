// Name the model in use; there is one at most.
// Parameters:
//   version (text): of the model
//   properties (map): dimensions, digest and times
//   now (int, epoch ms): when it was put into use
MERGE (m:Model {version: $version})
SET m += $properties, m.in_use = true, m.used_since = $now, m.coming = null
WITH m
MATCH (other:Model)
WHERE other.version <> $version
SET other.in_use = false, other.coming = null
