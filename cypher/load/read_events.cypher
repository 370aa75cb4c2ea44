// The stored versions of these events, found by the index of the uniqueness constraint.
// Parameters:
//   ids (list of text): event ids of one type
// Columns:
//   event_id (text): of the stored event
//   user_id (text): who did it
//   object_id (text): to what
//   object_kind (text): label of that
//   properties (map): of the event
UNWIND $ids AS id
MATCH (u:User)-[e:EVENT_TYPES {event_id: id}]->(o)
USING INDEX SEEK e:EVENT_TYPES(event_id)
RETURN e.event_id AS event_id, u.id AS user_id, o.id AS object_id, labels(o)[0] AS object_kind, properties(e) AS properties
