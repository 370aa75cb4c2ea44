// Write vectors of the model to come into contents; those of the model in use stay beside them.
// Parameters:
//   rows (list of [id, vector]): list of float
//   model (text): version to come
//   in_use (text): version in use, or an empty text
//   now (int, epoch ms): when they were computed
UNWIND $rows AS r
MATCH (o:Content {id: r[0]})
WITH o, r, o.embedding_model = $in_use AS keep
SET o.embedding_before = CASE WHEN keep THEN o.embedding ELSE o.embedding_before END
SET o.embedding_before_at = CASE WHEN keep THEN o.embedding_at ELSE o.embedding_before_at END
SET o.embedding_before_model = CASE WHEN keep THEN o.embedding_model ELSE o.embedding_before_model END
SET o.embedding = r[1], o.embedding_model = $model, o.embedding_at = $now
