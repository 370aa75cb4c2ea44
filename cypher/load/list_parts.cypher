// The parts of a batch that are there.
// Parameters:
//   first (text): lower bound of their ids
//   last (text): upper bound of their ids
// Columns:
//   id (text): of the part
//   conflicts (int): rows in it that had other content
MATCH (p:BatchPart)
WHERE p.id > $first AND p.id < $last
RETURN p.id AS id, p.conflicts AS conflicts
ORDER BY id
