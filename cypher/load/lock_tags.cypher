// Create tags where they are missing, lock them, and read what is known of each.
// Parameters:
//   rows (list of [kind, name]): distinct, sorted
//   batch (text): the batch that speaks of them
// Columns:
//   kind (text): of the tag
//   name (text): of the tag
//   described (text): JSON, property -> updated_at of the winning description
//   properties (map): all properties
UNWIND $rows AS r
MERGE (n:Tag {kind: r[0], name: r[1]})
SET n.described_by = $batch
WITH n
RETURN n.kind AS kind, n.name AS name, n.described AS described, properties(n) AS properties
