// How the vectors stand, by kind of node.
// Parameters:
//   model (text): version in use, or an empty text
// Columns:
//   label (text): User, Item or Content
//   fresh (int): by the model in use, from all events
//   stale (int): by another model, or events since
//   missing (int): none
MATCH (n:User)
WITH count(n) AS nodes, count(n.embedding_model) AS some,
  sum(CASE WHEN (n.embedding_model = $model AND n.embedding_rev = n.rev) OR (n.embedding_before_model = $model AND n.embedding_model <> $model AND n.embedding_before_rev = n.rev) THEN 1 ELSE 0 END) AS fresh
RETURN 'User' AS label, fresh, some - fresh AS stale, nodes - some AS missing
UNION ALL
MATCH (n:Item)
WITH count(n) AS nodes, count(n.embedding_model) AS some,
  sum(CASE WHEN n.embedding_model = $model OR n.embedding_before_model = $model THEN 1 ELSE 0 END) AS fresh
RETURN 'Item' AS label, fresh, some - fresh AS stale, nodes - some AS missing
UNION ALL
MATCH (n:Content)
WITH count(n) AS nodes, count(n.embedding_model) AS some,
  sum(CASE WHEN n.embedding_model = $model OR n.embedding_before_model = $model THEN 1 ELSE 0 END) AS fresh
RETURN 'Content' AS label, fresh, some - fresh AS stale, nodes - some AS missing
