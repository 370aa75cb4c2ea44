// Note the vocabulary the interests are computed with from now on.
// Parameters:
//   vocabulary (text): JSON
MATCH (s:Schema {id: 'graphprofile'})
SET s.vocabulary = $vocabulary
