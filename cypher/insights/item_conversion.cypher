// Which things turn a first step into the goal, and which don't?
// Of the people who did `event` with a thing, those who did `goal` with the same thing at the same time or later.
// Things with fewer than `min_users` people are left out. Any event types may be named: returned as the goal of purchased
// says what comes back.
// Group: items
// Events: all
// Chart: bar, x title, y rate
// Parameters:
//   event (event type, default viewed): the first step
//   goal (event type, default purchased): what it should lead to
//   order (text, one of best worst, default best): which end of the list
//   min_users (int, users, at least 1, default 10): people a thing must have
//   days (float, days, above 0, default 90): events of so many days up to `as_of` count
//   as_of (time, default newest event): end of those days
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   id (text): of the thing
//   kind (text): item or content
//   title (text): its title, or its id
//   users (int): people who took the first step
//   converted (int): of them, who reached the goal
//   rate (float, 0 to 1): converted / users
MATCH (o:Item|Content)
CALL (o) {
  MATCH (o)<-[e:EVENT_TYPES]-(u:User)
  WHERE (type(e) = $event OR type(e) = $goal) AND e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days
  WITH u, min(CASE WHEN type(e) = $event THEN e.ts END) AS first, max(CASE WHEN type(e) = $goal THEN e.ts END) AS last
  WHERE first IS NOT NULL
  RETURN count(u) AS users, sum(CASE WHEN last >= first THEN 1 ELSE 0 END) AS converted
}
WITH o, users, converted
WHERE users >= $min_users
WITH o, users, converted, toFloat(converted) / users AS rate
RETURN o.id AS id, toLower(head(labels(o))) AS kind, coalesce(o.title, o.id) AS title, users, converted, rate
ORDER BY CASE WHEN $order = 'best' THEN -rate ELSE rate END, users DESC, kind, id
LIMIT $limit
