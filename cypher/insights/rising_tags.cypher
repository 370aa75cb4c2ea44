// Which tags are people turning to, compared with the time just before?
// Two windows of equal length are compared, the last one ending at `as_of`. An event counts once for each tag of its
// object and for all broader ones. `growth` is the tag's share of the events of the last window over its share of the
// window before, with `smoothing` events added to every count, so that rare tags don't jump: 1 means no change.
// Only event types of positive weight count.
// Group: content
// Chart: bar, x tag, y growth, series kind
// Parameters:
//   window_days (float, days, above 0, default 30): length of each window
//   kind (tag kind, default any): only tags of this kind
//   min_users (int, users, at least 1, default 2): leave out tags that fewer people touched in the last window
//   smoothing (float, events, above 0, default 5): added to every count
//   as_of (time, default newest event): end of the last window
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   kind (text): of the tag
//   tag (text): its name
//   events (int): in the last window
//   events_before (int): in the window before
//   users (int): people who touched it in the last window
//   growth (float): ratio of shares, smoothed
MATCH (:User)-[e:EVENT_TYPES]->()
WHERE e.ts <= $as_of AND e.ts > $as_of - 2 * 86400000.0 * $window_days
WITH count(e) AS counted, sum(CASE WHEN e.ts > $as_of - 86400000.0 * $window_days THEN 1 ELSE 0 END) AS total
WITH total, counted - total AS total_before
MATCH (u:User)
CALL (u) {
  MATCH (u)-[e:EVENT_TYPES]->(o)
  WHERE e.ts <= $as_of AND e.ts > $as_of - 2 * 86400000.0 * $window_days
  WITH o, count(e) AS counted, sum(CASE WHEN e.ts > $as_of - 86400000.0 * $window_days THEN 1 ELSE 0 END) AS recent
  MATCH (o)-[:HAS_TAG]->(:Tag)-[:PART_OF*0..16]->(t:Tag)
  WHERE $kind IS NULL OR t.kind = $kind
  WITH DISTINCT o, t, recent, counted - recent AS before
  RETURN t, sum(recent) AS mine, sum(before) AS mine_before
}
WITH total, total_before, t, sum(mine) AS events, sum(mine_before) AS events_before,
     sum(CASE WHEN mine > 0 THEN 1 ELSE 0 END) AS users
WHERE users >= $min_users
RETURN t.kind AS kind, t.name AS tag, events, events_before, users,
       toFloat(events + $smoothing) / (total + $smoothing)
         / (toFloat(events_before + $smoothing) / (total_before + $smoothing)) AS growth
ORDER BY growth DESC, events DESC, kind, tag
LIMIT $limit
