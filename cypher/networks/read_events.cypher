// All events, one row each.
// Parameters: none
// Columns:
//   user (text): who
//   type (text): relationship type
//   label (text): of the object
//   object (text): its id
//   event_id (text): of the event
//   ts (int, epoch ms): when
//   value (float): or null
MATCH (u:User)-[e:EVENT_TYPES]->(o)
RETURN u.id AS user, type(e) AS type, head(labels(o)) AS label, o.id AS object, e.event_id AS event_id,
       e.ts AS ts, e.value AS value
