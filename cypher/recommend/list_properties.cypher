// Names of the properties that some of the items and contents have.
// Parameters: none
// Columns:
//   name (text): of a property
MATCH (o:Item|Content)
WITH o
LIMIT 2000
UNWIND keys(o) AS name
RETURN DISTINCT name
