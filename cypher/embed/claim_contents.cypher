// Note that vectors of these contents are being computed: who describes one meanwhile takes the note away.
// Parameters:
//   ids (list of text): of the contents
//   claim (text): of this process alone
UNWIND $ids AS id
MATCH (o:Content {id: id})
SET o.embed_due = o.id + $claim
