// Finds the nodes whose embedding is nearest to a vector, in the engine's vector index.
// Parameters:
// index (str): name of the index
// k (int): how many at most
// vector (list of float): the vector to compare with
// Columns:
// id (str): id of the node
// score (float): (1 + cosine) / 2
// model (str): version of the model that the embedding is of, or null
// changing (bool): whether vectors of another model are being written
CALL db.index.vector.queryNodes($index, $k, $vector) YIELD node, score
OPTIONAL MATCH (m:Model {coming: true})
RETURN node.id AS id, score, node.embedding_model AS model, m IS NOT NULL AS changing
