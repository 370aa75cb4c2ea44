// The people most interested in a tag, of the first so many that the engine comes upon.
// Parameters:
//   kind (text): of the tag
//   tag (text): its name
//   half_life_days (float, days): of long-term interests
//   looked_at (int): no more people than this are looked at
//   limit (int): at most so many
// Columns:
//   id (text): of the user
//   name (text): the property `name`, or null
//   events (int): behind the interest
//   last_ts (int, epoch ms): the latest of them
MATCH (:Tag {kind: $kind, name: $tag})<-[r:INTERESTED_IN]-(u:User)
WITH u, r
LIMIT $looked_at
WHERE r.long > 0
// A logarithm: interests of decades ago keep their order.
WITH u, r, log(r.long) + 0.6931471805599453 * r.last_at / ($half_life_days * 86400000.0) AS strength
RETURN u.id AS id, u.name AS name, r.events AS events, r.last_at AS last_ts
ORDER BY strength DESC, id
LIMIT $limit
