// Write vectors of contents.
// Parameters:
//   rows (list of [id, vector]): list of float
//   model (text): version
//   now (int, epoch ms): when they were computed
UNWIND $rows AS r
MATCH (o:Content {id: r[0]})
SET o.embedding = r[1], o.embedding_model = $model, o.embedding_at = $now
SET o.embed_due = null
