// Note in the store's record that a restore fills the store from now on: until it has ended nobody else uses it.
// Parameters:
//   token (text): names this restore
//   file (text): name of the backup
//   writer (text): host and process
//   now (int, epoch ms): time
// Columns:
//   node (text): engine's own id of the record
MERGE (s:Schema {id: 'graphprofile'})
SET s.restoring = $token, s.restoring_from = $file, s.restoring_by = $writer, s.restoring_at = $now, s.restored = 0
RETURN elementId(s) AS node
