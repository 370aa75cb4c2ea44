// Write vectors of users; who changed since the vector was computed stays due.
// Parameters:
//   rows (list of [id, vector, rev, status]): status is fresh or cold_start
//   model (text): version
//   now (int, epoch ms): when they were computed
UNWIND $rows AS r
MATCH (u:User {id: r[0]})
SET u.embedding = r[1], u.embedding_model = $model, u.embedding_at = $now, u.embedding_rev = r[2], u.embedding_status = r[3]
SET u.embed_due = CASE WHEN u.rev = r[2] THEN null ELSE u.id END
