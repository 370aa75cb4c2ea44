// Close the record of a batch that is undone.
// Parameters:
//   id (text): of the batch
//   now (int, epoch ms): the present
MATCH (b:Batch {id: $id})
SET b.state = 'undone', b.undone_at = $now, b.newest_ts = null, b.oldest_ts = null, b.files = [], b.file_rows = [],
    b.unsent_files = [], b.command = null, b.quality = null, b.verdict = null
