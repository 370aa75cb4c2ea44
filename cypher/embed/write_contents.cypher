// Write vectors of contents by the model in use; one that was described anew since it was claimed is left alone, and stays due.
// Parameters:
//   rows (list of [id, vector, claim]): list of float; a claim, or null where the vector does not rest on a description
//   model (text): version
//   now (int, epoch ms): when they were computed
UNWIND $rows AS r
MATCH (o:Content {id: r[0]})
WHERE r[2] IS NULL OR o.embed_due = o.id + r[2]
SET o.embedding = r[1], o.embedding_model = $model, o.embedding_at = $now
SET o.embedding_before = CASE WHEN r[2] IS NULL THEN o.embedding_before ELSE null END
SET o.embedding_before_at = CASE WHEN r[2] IS NULL THEN o.embedding_before_at ELSE null END
SET o.embedding_before_model = CASE WHEN r[2] IS NULL THEN o.embedding_before_model ELSE null END
SET o.embed_due = null
