// Which of these users have a vector of a status.
// Parameters:
//   ids (list of text): of the users
//   status (text): fresh, stale, cold_start or missing
//   model (text): version in use, or an empty text
// Columns:
//   id (text): of the user
UNWIND $ids AS id
MATCH (u:User {id: id})
WITH id, u, u.embedding_before_model = $model AND u.embedding_model <> $model AS before
WITH id, CASE WHEN before THEN u.embedding_before_model ELSE u.embedding_model END AS model,
     CASE WHEN before THEN u.embedding_before_rev ELSE u.embedding_rev END AS rev,
     CASE WHEN before THEN u.embedding_before_status ELSE u.embedding_status END AS said, u.rev AS now
WITH id, CASE WHEN model IS NULL THEN 'missing'
              WHEN model <> $model OR rev IS NULL OR rev <> now THEN 'stale'
              WHEN said = 'cold_start' THEN 'cold_start'
              ELSE 'fresh' END AS status
WHERE status = $status
RETURN id
