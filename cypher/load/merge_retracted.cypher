// Note that events are withdrawn, and read what is known of each.
// Parameters:
//   type (text): relationship type
//   ids (list of text): event ids, distinct and sorted
//   batch (text): the batch that withdraws them
// Columns:
//   event_id (text): of the event
//   batch (text): the batch that withdrew it first
UNWIND $ids AS id
MERGE (r:Retracted {type: $type, event_id: id})
ON CREATE SET r.batch = $batch
RETURN r.event_id AS event_id, r.batch AS batch
