// Take the lanes of a batch away when it has ended.
// Parameters:
//   lanes (list of text): ids of the lanes
UNWIND $lanes AS id
MATCH (l:BatchLane {id: id})
DELETE l
