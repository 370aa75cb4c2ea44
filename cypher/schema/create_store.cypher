// Note the rules of a new store; one that has some keeps them.
// Parameters:
//   store_id (text): names the store's folder in the model registry
//   version (int): of the schema
//   vocabulary (text): JSON
MERGE (s:Schema {id: 'graphprofile'})
ON CREATE SET s.store_id = $store_id, s.version = $version, s.vocabulary = $vocabulary
