// Which of these nodes withdrawn events name.
// Parameters:
//   ids (list of text): of nodes
// Columns:
//   user_id (text): who did the event
//   object_kind (text): item | content | user
//   object_id (text): to what
MATCH (r:Retracted)
WHERE r.user_id IN $ids OR r.object_id IN $ids
RETURN r.user_id AS user_id, r.object_kind AS object_kind, r.object_id AS object_id
