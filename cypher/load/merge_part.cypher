// Leave a part with a batch that did not write it itself.
// Parameters:
//   id (text): of the part
//   properties (map): batch, file, kind, at, counts of rows and claims
MERGE (p:BatchPart {id: $id})
ON CREATE SET p += $properties
