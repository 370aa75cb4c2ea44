// How many nodes of each kind there are.
// Columns:
//   label (text): User, Item, Content or Tag
//   nodes (int): of that label
MATCH (n:User) RETURN 'User' AS label, count(n) AS nodes
UNION ALL
MATCH (n:Item) RETURN 'Item' AS label, count(n) AS nodes
UNION ALL
MATCH (n:Content) RETURN 'Content' AS label, count(n) AS nodes
UNION ALL
MATCH (n:Tag) RETURN 'Tag' AS label, count(n) AS nodes
