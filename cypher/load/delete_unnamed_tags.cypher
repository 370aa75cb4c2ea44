// Take away the tags that nothing refers to and nobody described.
// Columns:
//   tags (int): taken away
MATCH (t:Tag)
WHERE t.described IS NULL AND NOT EXISTS { (t)--() }
DELETE t
RETURN count(*) AS tags
