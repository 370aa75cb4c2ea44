// How many events people have on people.
// Parameters: none
// Columns:
//   events (int): all of them
MATCH (:User)-[e:EVENT_TYPES]->(:User)
RETURN count(e) AS events
