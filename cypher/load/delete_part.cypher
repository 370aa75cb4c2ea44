// Take a part away: what it brought is undone.
// Parameters:
//   id (text): of the part
MATCH (p:BatchPart {id: $id})
DELETE p
