// Finds the nodes whose embedding is nearest to a vector, in the engine's vector index.
// Parameters:
// index (str): name of the index
// k (int): how many at most
// vector (list of float): the vector to compare with
// Columns:
// id (str): id of the node
// score (float): (1 + cosine) / 2
CALL db.index.vector.queryNodes($index, $k, $vector) YIELD node, score
RETURN node.id AS id, score
