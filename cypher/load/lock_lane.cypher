// Lock a writer's lane, the first word of each of its transactions, and see whether its part is there already.
// Parameters:
//   id (text): of the lane
//   part (text): id of the part that this transaction is to leave behind
// Columns:
//   writer (text): the process that holds the lane
//   part (map): all properties of the part, null where it is not there
MATCH (l:BatchLane {id: $id})
SET l.writes = l.writes + 1
WITH l
OPTIONAL MATCH (p:BatchPart {id: $part})
RETURN l.writer AS writer, properties(p) AS part
