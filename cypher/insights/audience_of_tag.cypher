// Who cares most about this tag now?
// People ranked by their long-term interest in the tag, decayed to `as_of`; broader tags count what lies below them.
// Group: customers
// Chart: bar, x user, y score
// Parameters:
//   tag (tag): its name, or kind:name
//   kind (tag kind, default any): of the tag, where the name alone is ambiguous
//   as_of (time, not before the newest event, default newest event): the moment the interest is read at
//   half_life_days (float, days, from the vocabulary): of long-term interests
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   user (text): id
//   name (text): the person's property `name`, or null
//   score (float): interest as of `as_of`, on the long half-life
//   share (float, 0 to 1): of the person's positive interest in direct tags of this kind; null where there is none
//   events (int): events behind it
//   last_at (time): the latest of them
MATCH (:Tag {kind: $kind, name: $tag})<-[r:INTERESTED_IN]-(u:User)
WITH u, r, $half_life_days * 86400000.0 AS half_life_ms
WITH u, r, half_life_ms, r.long * 2.0 ^ ((r.last_at - $as_of) / half_life_ms) AS score
WHERE score > 0
ORDER BY score DESC, u.id
LIMIT $limit
OPTIONAL MATCH (u)-[d:INTERESTED_IN {direct: true}]->(:Tag {kind: $kind})
WHERE d.long > 0
WITH u, r, score, sum(d.long * 2.0 ^ ((d.last_at - $as_of) / half_life_ms)) AS total
RETURN u.id AS user, u.name AS name, score, CASE WHEN total > 0 THEN score / total END AS share,
       r.events AS events, r.last_at AS last_at
ORDER BY score DESC, user
