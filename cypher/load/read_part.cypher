// What one part of a batch brought.
// Parameters:
//   id (text): of the part
// Columns:
//   part (map): all properties
MATCH (p:BatchPart {id: $id})
RETURN properties(p) AS part
