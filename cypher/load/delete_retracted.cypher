// Let events be again: their withdrawal is undone.
// Parameters:
//   rows (list of [type, event_id]): of withdrawn events
UNWIND $rows AS r
MATCH (n:Retracted {type: r[0], event_id: r[1]})
DELETE n
