// Some events, whichever come first: to choose what a form begins with.
// Parameters:
//   limit (int): events at most
// Columns:
//   user (text): whose
//   type (text): relationship type
//   label (text): of the object
//   object (text): its id
//   ts (int, epoch ms): when
MATCH (u:User)-[e:EVENT_TYPES]->(o)
WITH u, e, o
LIMIT $limit
RETURN u.id AS user, type(e) AS type, head(labels(o)) AS label, o.id AS object, e.ts AS ts
