// Who asks for a recommendation: the vectors, what the user already has, and the model in use, in one answer.
// Parameters:
//   user_id (text): of the user
// Columns:
//   model (text): that computed the vector, or null
//   vector (list of float): or null
//   model_before (text): that computed the vector which is kept beside it, or null
//   vector_before (list of float): or null
//   objects (list of text): i:id of an item, c:id of content, latest first
//   models (list of text): the version in use, if any
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
RETURN u.embedding_model AS model, u.embedding AS vector,
  u.embedding_before_model AS model_before, u.embedding_before AS vector_before, objects, models
