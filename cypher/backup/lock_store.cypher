// Count one more transaction of a restore, the record locked first; no row where another restore took over or it was counted before.
// Parameters:
//   token (text): names this restore
//   number (int): of the transaction, from 1
//   now (int, epoch ms): time
// Columns:
//   number (int): of the transaction
MATCH (s:Schema {id: 'graphprofile'})
SET s.restoring_at = $now
WITH s
WHERE s.restoring = $token AND s.restored = $number - 1
SET s.restored = $number
RETURN s.restored AS number
