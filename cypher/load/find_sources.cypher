// Which of these files a batch that stands has read, whatever became of their rows.
// Parameters:
//   keys (list of text): keys of files
// Columns:
//   id (text): of the batch
//   sources (list of text): keys of all its files
MATCH (b:Batch {state: 'done'})
WHERE any(key IN $keys WHERE key IN b.sources)
RETURN b.id AS id, b.sources AS sources
