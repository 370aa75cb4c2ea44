// Content with a tag that have the most events, among the first so many that the engine comes upon.
// Parameters:
//   kind (text): of the tag
//   tag (text): its name
//   looked_at (int): no more objects than this are looked at
//   most_events (int): events on one object are counted up to this
//   limit (int): at most so many
// Columns:
//   id (text): of the content
//   title (text): or null
//   weight (float): of the tag on it
//   events (int): on it, all users together
MATCH (:Tag {kind: $kind, name: $tag})<-[h:HAS_TAG]-(o:Content)
WITH o, h
LIMIT $looked_at
CALL (o) {
  MATCH (o)<-[e:EVENT_TYPES]-(:User)
  WITH e
  LIMIT $most_events
  RETURN count(e) AS events
}
RETURN o.id AS id, o.title AS title, h.weight AS weight, events
ORDER BY events DESC, id
LIMIT $limit
