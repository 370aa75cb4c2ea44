// Write vectors of items by the model in use.
// Parameters:
//   rows (list of [id, vector, forget]): list of float; whether a vector kept of an earlier model is out of date
//   model (text): version
//   now (int, epoch ms): when they were computed
UNWIND $rows AS r
MATCH (o:Item {id: r[0]})
SET o.embedding = r[1], o.embedding_model = $model, o.embedding_at = $now
SET o.embedding_before = CASE WHEN r[2] THEN null ELSE o.embedding_before END
SET o.embedding_before_at = CASE WHEN r[2] THEN null ELSE o.embedding_before_at END
SET o.embedding_before_model = CASE WHEN r[2] THEN null ELSE o.embedding_before_model END
SET o.embed_due = null
