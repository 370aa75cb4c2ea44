// A user's events, newest first, after a place in that order.
// Parameters:
//   user_id (text): of the user
//   before (int, epoch ms): events of this time or earlier
//   after_type (text): of that time only those of a later type, or of this type with a later id; an empty text takes all
//   after_id (text): see there
//   limit (int): at most so many
// Columns:
//   type (text): relationship type
//   event_id (text): of the event
//   ts (int, epoch ms): its time
//   precision (text): how exactly the time is known: exact, day, month or year
//   value (float): or null
//   label (text): of the object
//   id (text): of the object
//   title (text): of an item or content, or null
//   name (text): of a user, or null
MATCH (:User {id: $user_id})-[e:EVENT_TYPES]->(o)
WHERE e.ts < $before OR (e.ts = $before AND
  (type(e) > $after_type OR (type(e) = $after_type AND e.event_id > $after_id)))
RETURN type(e) AS type, e.event_id AS event_id, e.ts AS ts, coalesce(e.ts_precision, 'exact') AS precision,
  e.value AS value, head(labels(o)) AS label, o.id AS id, o.title AS title,
  CASE WHEN o:User THEN o.name END AS name
ORDER BY ts DESC, type, event_id
LIMIT $limit
