// As vectors/search_nodes, but asks the index only where no other model's vectors are being written.
// Parameters:
// index (str): name of the index
// k (int): how many at most
// vector (list of float): the vector to compare with
// Columns:
// id (str): id of the node
// score (float): (1 + cosine) / 2
// model (str): version of the model that the embedding is of, or null
// changing (bool): whether the writing of another model has begun meanwhile
OPTIONAL MATCH (before:Model {coming: true})
WITH before
WHERE before IS NULL
CALL db.index.vector.queryNodes($index, $k, $vector) YIELD node, score
OPTIONAL MATCH (m:Model {coming: true})
RETURN node.id AS id, score, node.embedding_model AS model, m IS NOT NULL AS changing
