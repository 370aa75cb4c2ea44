// Create new events of one type between users and items; both ends exist already.
// Parameters:
//   groups (list of [user id, list of [object id, event_id, ts, hash, value, ts_precision]]): ts in epoch ms, grouped by user
//   batch (text): the batch that brings them
UNWIND $groups AS g
MATCH (u:User {id: g[0]})
UNWIND g[1] AS r
MATCH (o:Item {id: r[0]})
CREATE (u)-[e:EVENT_TYPES {event_id: r[1], ts: r[2], hash: r[3], value: r[4], ts_precision: r[5], batch: $batch}]->(o)
