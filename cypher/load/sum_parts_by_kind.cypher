// What became of the rows of a batch, by what they describe: the sums over its parts.
// Parameters:
//   first (text): lower bound of their ids
//   last (text): upper bound of their ids
// Columns:
//   kind (text): events | users | items | content | tags | retracted
//   read (int): rows
//   applied (int): rows
//   duplicates (int): rows
//   conflicts (int): rows
//   quarantined (int): rows
//   late (int): rows among the applied
//   replaced (int): rows among the applied that took the place of a stored event
MATCH (p:BatchPart)
WHERE p.id > $first AND p.id < $last
RETURN p.kind AS kind, sum(p.read) AS read, sum(p.applied) AS applied, sum(p.duplicates) AS duplicates,
  sum(p.conflicts) AS conflicts, sum(p.quarantined) AS quarantined, sum(p.late) AS late,
  sum(p.replaced) AS replaced
