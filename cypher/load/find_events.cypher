// Which of these events are stored, found by the index of the uniqueness constraint.
// The hint keeps a plan made while the store was empty from scanning.
// Parameters:
//   ids (list of text): event ids of one type
// Columns:
//   event_id (text): of a stored event
//   hash (text): of its content
UNWIND $ids AS id
MATCH ()-[e:EVENT_TYPES {event_id: id}]->()
USING INDEX SEEK e:EVENT_TYPES(event_id)
RETURN e.event_id AS event_id, e.hash AS hash
