// Whether there is anything beside the store's own record.
// Columns:
//   labels (list of text): of the first node found
MATCH (n)
WHERE NOT (n:Schema AND coalesce(n.id, '') = 'graphprofile')
RETURN labels(n) AS labels
LIMIT 1
