// Which of these events are stored with the same content and which with another, found by the index of the uniqueness constraint.
// The hint keeps a plan made while the store was empty from scanning.
// Parameters:
//   ids (list of text): event ids of one type
//   hashes (list of text): of their contents
// Columns:
//   same (list of int): places of events stored with that content
//   other (list of int): places of events stored with another
UNWIND range(0, size($ids) - 1) AS i
MATCH ()-[e:EVENT_TYPES {event_id: $ids[i]}]->()
USING INDEX SEEK e:EVENT_TYPES(event_id)
RETURN collect(CASE WHEN e.hash = $hashes[i] THEN i END) AS same, collect(CASE WHEN e.hash <> $hashes[i] THEN i END) AS other
