// Who asks for a recommendation, and what the engine's vector indexes give for the stored vector: all in one answer, since going to the engine and back costs more than most of what is asked here.
// Parameters:
//   user_id (text): of the user
//   indexes (list of text): to be asked; none where something else than the nearest is wanted
//   k (int): how many are wanted of each; as many more as the user has are looked for, up to k
//   more (int): so many more are looked for in any case
// Columns:
//   model (text): that computed the vector, or null
//   vector (list of float): or null
//   model_before (text): that computed the vector which is kept beside it, or null
//   vector_before (list of float): or null
//   objects (list of text): i:id of an item, c:id of content, latest first
//   models (list of text): the version in use, if any
//   found (list of [index, id, score, model]): (1 + cosine) / 2, and the version the embedding is of, or null; empty while another model's vectors are being written
//   wanted (int): how many were looked for in each index
//   changing (bool): whether another model's vectors are being written, before or after the indexes were asked
MATCH (u:User {id: $user_id})
CALL (u) {
  MATCH (u)-[e:EVENT_TYPES]->(o)
  WHERE o:Item OR o:Content
  WITH o, max(e.ts) AS last
  WITH CASE WHEN o:Item THEN 'i:' ELSE 'c:' END + o.id AS object, last
  ORDER BY last DESC, object
  RETURN collect(object) AS objects
}
CALL () {
  MATCH (m:Model {in_use: true})
  RETURN collect(m.version) AS models
}
OPTIONAL MATCH (before:Model {coming: true})
WITH u, objects, models, before IS NOT NULL AS coming,
  $k + $more + CASE WHEN size(objects) < $k THEN size(objects) ELSE $k END AS wanted
CALL (u, coming, wanted) {
  UNWIND CASE WHEN coming OR u.embedding IS NULL THEN [] ELSE $indexes END AS index
  CALL db.index.vector.queryNodes(index, wanted, u.embedding) YIELD node, score
  RETURN collect([index, node.id, score, node.embedding_model]) AS found
}
OPTIONAL MATCH (after:Model {coming: true})
RETURN u.embedding_model AS model, u.embedding AS vector,
  u.embedding_before_model AS model_before, u.embedding_before AS vector_before,
  objects, models, found, wanted, coming OR after IS NOT NULL AS changing
