// Which things go together?
// Pairs among the `items` things that most people dealt with. `support` is the part of all active people who have both;
// `lift` compares that with what chance would have: above 1 the two go together. Counts people, not events. Costs at
// most people x items², so `items` is what bounds it. Only event types of positive weight count.
// Group: items
// Chart: graph, source title, target other_title, value lift
// Parameters:
//   event (event type, default any): count only events of this name, such as purchased
//   days (float, days, above 0, default 365): events of so many days up to `as_of` count
//   items (int, things, at least 2, at most 500, default 50): things looked at
//   min_users (int, users, at least 1, default 2): leave out pairs that fewer people have
//   as_of (time, default newest event): end of those days
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   id (text): of the commoner thing
//   title (text): its title, or its id
//   other (text): id of the rarer thing
//   other_title (text): its title, or its id
//   users (int): people who have both
//   support (float, 0 to 1): of all active people
//   confidence (float, 0 to 1): of those who have the rarer thing, who have the commoner as well
//   lift (float): support over what chance would have
MATCH (u:User)
WHERE EXISTS { (u)-[e:EVENT_TYPES]->(:Item) WHERE e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days
  AND ($event IS NULL OR type(e) = $event) }
WITH count(u) AS active
MATCH (o:Item)
CALL (o) {
  MATCH (o)<-[e:EVENT_TYPES]-(u:User)
  WHERE e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days AND ($event IS NULL OR type(e) = $event)
  RETURN count(DISTINCT u) AS users
}
WITH active, o, users
WHERE users > 0
WITH active, o, users
ORDER BY users DESC, o.id
LIMIT $items
WITH active, collect([o.id, coalesce(o.title, o.id), users]) AS top
CALL (top) {
  UNWIND range(0, size(top) - 1) AS rank
  WITH rank, top[rank][0] AS id
  MATCH (:Item {id: id})<-[e:EVENT_TYPES]-(u:User)
  WHERE e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days AND ($event IS NULL OR type(e) = $event)
  WITH DISTINCT u, rank
  WITH u, collect(rank) AS ranks
  UNWIND ranks AS a
  UNWIND ranks AS b
  WITH a, b
  WHERE a < b
  RETURN a, b, count(*) AS users
}
WITH active, users, top[a] AS x, top[b] AS y
WHERE users >= $min_users
RETURN x[0] AS id, x[1] AS title, y[0] AS other, y[1] AS other_title, users, toFloat(users) / active AS support,
       toFloat(users) / y[2] AS confidence, toFloat(users) * active / (toFloat(x[2]) * y[2]) AS lift
ORDER BY lift DESC, users DESC, id, other
LIMIT $limit
