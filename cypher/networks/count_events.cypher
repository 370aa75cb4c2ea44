// How many events there are.
// Parameters: none
// Columns:
//   events (int): all of them
MATCH (:User)-[e:EVENT_TYPES]->()
RETURN count(e) AS events
