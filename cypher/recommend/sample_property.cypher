// Some values of one property of items and contents, which show its type.
// Parameters:
//   property (text): its name
// Columns:
//   value (any): of a node
MATCH (o:Item|Content)
WHERE o[$property] IS NOT NULL
RETURN o[$property] AS value
LIMIT 100
