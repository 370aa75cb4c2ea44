// The parts of a batch that are there, with what they hold.
// Parameters:
//   first (text): lower bound of their ids
//   last (text): upper bound of their ids
// Columns:
//   id (text): of the part
//   kind (text): events | users | items | content | tags | retracted
MATCH (p:BatchPart)
WHERE p.id > $first AND p.id < $last
RETURN p.id AS id, p.kind AS kind
ORDER BY id
