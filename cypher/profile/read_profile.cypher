// All that makes up a user's profile as of now, in one answer.
// Parameters:
//   user_id (text): of the user
// Columns:
//   properties (map): source properties and the ones the system keeps, without the vectors
//   dimensions (int): of the vector, null without one
//   dimensions_before (int): of the vector kept of another model, null without one
//   counts (list of [type, events, first_at, last_at]): events by relationship type, times as epoch ms
//   interests (list of [kind, name, short, long, events, first_at, last_at, direct, total]): as tags/read_interests gives them
//   kinds (list of [kind, direct, tags]): what everybody's interests come to
//   newest (list of int): the newest event of the batches and of the lanes, epoch ms or null
//   models (list of text): the version in use, if any
MATCH (u:User {id: $user_id})
CALL (u) {
  MATCH (u)-[e:EVENT_TYPES]->()
  WITH type(e) AS type, count(e) AS events, min(e.ts) AS first_at, max(e.ts) AS last_at
  RETURN collect([type, events, first_at, last_at]) AS counts
}
CALL (u) {
  MATCH (u)-[r:INTERESTED_IN]->(t:Tag)
  RETURN collect([t.kind, t.name, r.short, r.long, r.events, r.first_at, r.last_at, r.direct, t.interest_events]) AS interests
}
CALL () {
  MATCH (k:TagKind)
  RETURN collect([k.kind, k.interest_direct, k.tags]) AS kinds
}
CALL () {
  MATCH (b:Batch)
  RETURN max(b.newest_ts) AS of_batches
}
CALL () {
  MATCH (l:BatchLane)
  RETURN max(l.newest_ts) AS of_lanes
}
CALL () {
  MATCH (m:Model {in_use: true})
  RETURN collect(m.version) AS models
}
RETURN u {.*, embedding: null, embedding_before: null} AS properties,
  size(u.embedding) AS dimensions, size(u.embedding_before) AS dimensions_before,
  counts, interests, kinds, [of_batches, of_lanes] AS newest, models
