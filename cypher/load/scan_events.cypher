// The stored versions of these events, whoever did them: one pass where there is no index look-up of relationships.
// Parameters:
//   ids (list of text): event ids of one type
// Columns:
//   event_id (text): of the stored event
//   user_id (text): who did it
//   object_id (text): to what
//   object_kind (text): label of that
//   properties (map): of the event
MATCH (u:User)-[e:EVENT_TYPES]->(o)
WHERE e.event_id IN $ids
RETURN e.event_id AS event_id, u.id AS user_id, o.id AS object_id, labels(o)[0] AS object_kind, properties(e) AS properties
