// Whether anything was ever withdrawn.
// Columns:
//   event_id (text): of a withdrawn event
MATCH (r:Retracted)
RETURN r.event_id AS event_id
LIMIT 1
