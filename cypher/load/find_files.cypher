// Which of these files were taken in whole by a batch that stands.
// Parameters:
//   keys (list of text): keys of files
// Columns:
//   id (text): of the batch
//   files (list of text): keys of all files it took in whole
//   file_rows (list of int): rows of each
MATCH (b:Batch {state: 'done'})
WHERE any(key IN $keys WHERE key IN b.files)
RETURN b.id AS id, b.files AS files, b.file_rows AS file_rows
ORDER BY id
