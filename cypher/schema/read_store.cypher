// The rules this store was written under.
// Columns:
//   properties (map): store_id, version and vocabulary
MATCH (s:Schema {id: 'graphprofile'})
RETURN properties(s) AS properties
