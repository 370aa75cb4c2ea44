// Create tags where they are missing.
// Parameters:
//   rows (list of [kind, name]): distinct, sorted
UNWIND $rows AS r
MERGE (t:Tag {kind: r[0], name: r[1]})
