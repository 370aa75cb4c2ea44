// Which of these events were withdrawn, and the content that is kept of them.
// Parameters:
//   type (text): relationship type
//   ids (list of text): event ids
// Columns:
//   event_id (text): of the withdrawn event
//   hash (text): of its content; null while nobody has brought it
//   event (text): its content as JSON, or null
UNWIND $ids AS id
MATCH (r:Retracted {type: $type, event_id: id})
RETURN r.event_id AS event_id, r.hash AS hash, r.event AS event
