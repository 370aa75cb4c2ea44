// How the vectors stand, by kind of node.
// Parameters:
//   model (text): version in use, or an empty text
// Columns:
//   label (text): User, Item or Content
//   fresh (int): by the model in use, from all events
//   stale (int): by another model, or events since
//   missing (int): none
MATCH (n:User)
RETURN 'User' AS label,
  sum(CASE WHEN n.embedding_model = $model AND n.embedding_rev = n.rev THEN 1 ELSE 0 END) AS fresh,
  sum(CASE WHEN n.embedding_model IS NOT NULL AND (n.embedding_model <> $model OR n.embedding_rev <> n.rev) THEN 1 ELSE 0 END) AS stale,
  sum(CASE WHEN n.embedding_model IS NULL THEN 1 ELSE 0 END) AS missing
UNION ALL
MATCH (n:Item)
RETURN 'Item' AS label,
  sum(CASE WHEN n.embedding_model = $model THEN 1 ELSE 0 END) AS fresh,
  sum(CASE WHEN n.embedding_model <> $model THEN 1 ELSE 0 END) AS stale,
  sum(CASE WHEN n.embedding_model IS NULL THEN 1 ELSE 0 END) AS missing
UNION ALL
MATCH (n:Content)
RETURN 'Content' AS label,
  sum(CASE WHEN n.embedding_model = $model THEN 1 ELSE 0 END) AS fresh,
  sum(CASE WHEN n.embedding_model <> $model THEN 1 ELSE 0 END) AS stale,
  sum(CASE WHEN n.embedding_model IS NULL THEN 1 ELSE 0 END) AS missing
