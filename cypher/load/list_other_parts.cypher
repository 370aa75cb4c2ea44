// The parts of all other batches that hold rows of one kind.
// Parameters:
//   batch (text): the batch that is left out
//   kind (text): events | users | items | content | tags | retracted
// Columns:
//   id (text): of the part
//   batch (text): that it belongs to
MATCH (p:BatchPart)
WHERE p.kind = $kind AND p.batch <> $batch
RETURN p.id AS id, p.batch AS batch
