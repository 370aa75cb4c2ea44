// Create users where they are missing, lock them, and read what is known of each.
// Parameters:
//   ids (list of text): distinct, sorted
//   batch (text): the batch that speaks of them
// Columns:
//   id (text): of the node
//   described (text): JSON, property -> updated_at of the winning description; null where nobody described it
//   properties (map): all properties
UNWIND $ids AS id
MERGE (n:User {id: id})
ON CREATE SET n.rev = timestamp(), n.embed_due = n.id
SET n.described_by = $batch, n.tags_rev = coalesce(n.tags_rev, CASE WHEN n.tags_due IS NULL THEN n.rev END)
WITH n
RETURN n.id AS id, n.described AS described, properties(n) AS properties
