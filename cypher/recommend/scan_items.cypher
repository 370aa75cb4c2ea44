// Those of all items that are nearest to a vector, by looking at each.
// Parameters:
//   vector (list of float): what they are compared with
//   k (int): how many at most
//   model (text): version in use
// Columns:
//   id (text): of the node
//   vector (list of float): of the model in use
MATCH (o:Item)
WITH o.id AS id, CASE $model WHEN o.embedding_model THEN o.embedding WHEN o.embedding_before_model THEN o.embedding_before END AS vector
WITH id, vector, vector.similarity.cosine(vector, $vector) AS near
WHERE near IS NOT NULL
RETURN id, vector
ORDER BY near DESC, id
LIMIT $k
