// Keep the content of withdrawn events, or forget it.
// Parameters:
//   rows (list of [type, event_id, hash, JSON of the content, user id, object kind, object id]): of events that are withdrawn
UNWIND $rows AS r
MATCH (n:Retracted {type: r[0], event_id: r[1]})
SET n.hash = r[2], n.event = r[3], n.user_id = r[4], n.object_kind = r[5], n.object_id = r[6]
