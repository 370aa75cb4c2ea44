// Take away the tags that nothing refers to but interests, and nobody described; the users of these are due by then.
// Columns:
//   tags (int): taken away
MATCH (t:Tag)
WHERE t.described IS NULL AND NOT EXISTS { (t)-[r]-() WHERE type(r) <> 'INTERESTED_IN' }
DETACH DELETE t
RETURN count(*) AS tags
