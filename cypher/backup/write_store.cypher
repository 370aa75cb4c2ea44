// End a restore: the store's record becomes the one of the backup.
// Parameters:
//   token (text): names this restore
//   now (int, epoch ms): time
//   properties (map): of the record
// Columns:
//   version (int): of the schema
MATCH (s:Schema {id: 'graphprofile'})
SET s.restoring_at = $now
WITH s
WHERE s.restoring = $token
SET s = $properties
RETURN s.version AS version
