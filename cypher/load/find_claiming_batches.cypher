// Batches that sent no row of some files, since another batch had taken them in whole.
// Parameters:
//   keys (list of text): keys of files
// Columns:
//   id (text): of the batch
//   sources (list of text): keys of its files by place
//   unsent_files (list of text): keys of those it did not send
MATCH (b:Batch {state: 'done'})
WHERE any(key IN $keys WHERE key IN b.unsent_files)
RETURN b.id AS id, b.sources AS sources, b.unsent_files AS unsent_files
