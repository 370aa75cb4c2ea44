// As create_events_on_item, for events with properties of their own.
// Parameters:
//   users (list of text): ids, distinct
//   objects (list of text): ids, distinct
//   user_at (list of int): place of each event's user among users
//   object_at (list of int): place of each event's object among objects
//   ids (list of text): event_id of each event
//   ts (list of int): of each event, epoch ms
//   hashes (list of text): of the content of each event
//   values (list of float or null): of each event
//   precisions (list of text or null): ts_precision of each event
//   properties (list of map): of each event
//   batch (text): the batch that brings them
CALL {
  UNWIND range(0, size($users) - 1) AS i
  MATCH (u:User {id: $users[i]}) USING INDEX SEEK u:User(id)
  WITH i, u ORDER BY i
  RETURN collect(u) AS users
}
CALL {
  UNWIND range(0, size($objects) - 1) AS i
  MATCH (o:Item {id: $objects[i]}) USING INDEX SEEK o:Item(id)
  WITH i, o ORDER BY i
  RETURN collect(o) AS objects
}
UNWIND range(0, size($ids) - 1) AS i
WITH i, users[$user_at[i]] AS u, objects[$object_at[i]] AS o
CREATE (u)-[e:EVENT_TYPES {
  event_id: $ids[i], ts: $ts[i], hash: $hashes[i], value: $values[i], ts_precision: $precisions[i], batch: $batch
}]->(o)
SET e += $properties[i]
