// As vectors/search_nodes, but asks the index only where no other model's vectors are being written; always one row.
// Parameters:
// index (str): name of the index
// k (int): how many at most
// vector (list of float): the vector to compare with
// Columns:
// found (list of [id, score, model]): id of the node, (1 + cosine) / 2, version of the model that the embedding is of or null
// changing (bool): whether another model's vectors are being written, before or after the index was asked
OPTIONAL MATCH (before:Model {coming: true})
WITH before
WHERE before IS NULL
CALL db.index.vector.queryNodes($index, $k, $vector) YIELD node, score
WITH collect([node.id, score, node.embedding_model]) AS found
OPTIONAL MATCH (after:Model {coming: true})
RETURN found, after IS NOT NULL AS changing
