// How many events of one type there are.
// Columns:
//   events (int): of that type
MATCH ()-[e:EVENT_TYPES]->()
RETURN count(e) AS events
