// Note that a graph imported offline has its constraints now.
// Parameters: none
// Columns: none
MATCH (s:Schema {id: 'graphprofile'})
WHERE s.unfinished = 'constraints'
SET s.unfinished = null
