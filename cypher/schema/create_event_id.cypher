// Makes event_id unique among the events of one type.
// Parameters: none
// Columns: none
CREATE CONSTRAINT IF NOT EXISTS FOR ()-[e:EVENT_TYPES]-() REQUIRE e.event_id IS UNIQUE
