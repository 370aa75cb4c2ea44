// Note that vectors of these items are being computed: who describes one meanwhile takes the note away.
// Parameters:
//   ids (list of text): of the items
//   claim (text): of this process alone
UNWIND $ids AS id
MATCH (o:Item {id: id})
SET o.embed_due = o.id + $claim
