// Keep the content of withdrawn events.
// Parameters:
//   rows (list of [type, event_id, hash, JSON of the content]): of events that are withdrawn
UNWIND $rows AS r
MATCH (n:Retracted {type: r[0], event_id: r[1]})
SET n.hash = r[2], n.event = r[3]
