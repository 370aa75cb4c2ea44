// Write vectors of the model to come into users; those of the model in use stay beside them.
// Parameters:
//   rows (list of [id, vector, rev, status]): status is fresh or cold_start
//   model (text): version to come
//   in_use (text): version in use, or an empty text
//   now (int, epoch ms): when they were computed
UNWIND $rows AS r
MATCH (u:User {id: r[0]})
WITH u, r, u.embedding_model = $in_use AS keep
SET u.embedding_before = CASE WHEN keep THEN u.embedding ELSE u.embedding_before END
SET u.embedding_before_at = CASE WHEN keep THEN u.embedding_at ELSE u.embedding_before_at END
SET u.embedding_before_rev = CASE WHEN keep THEN u.embedding_rev ELSE u.embedding_before_rev END
SET u.embedding_before_status = CASE WHEN keep THEN u.embedding_status ELSE u.embedding_before_status END
SET u.embedding_before_model = CASE WHEN keep THEN u.embedding_model ELSE u.embedding_before_model END
SET u.embedding = r[1], u.embedding_model = $model, u.embedding_at = $now, u.embedding_rev = r[2], u.embedding_status = r[3]
