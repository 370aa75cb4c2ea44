// Things with a tag, those of largest weight first, of the first so many that the engine comes upon.
// Parameters:
//   kind (text): of the tag
//   tag (text): its name
//   looked_at (int): no more things than this are looked at
//   limit (int): things at most
// Columns:
//   total (int): things among them
//   shown (list of [label, id, title, weight]): the largest weights first
MATCH (:Tag {kind: $kind, name: $tag})<-[h:HAS_TAG]-(o)
WITH o, h
LIMIT $looked_at
WITH o, h
ORDER BY h.weight DESC, o.id
WITH collect([head(labels(o)), o.id, o.title, h.weight]) AS found
RETURN size(found) AS total, found[0..$limit] AS shown
