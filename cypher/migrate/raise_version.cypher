// Raise the schema version by one step.
// Parameters:
//   old (int): version the step begins with
//   new (int): version it leads to
// Columns:
//   version (int): now
MATCH (s:Schema {id: 'graphprofile'})
WHERE s.version = $old
SET s.version = $new
RETURN s.version AS version
