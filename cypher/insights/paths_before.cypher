// What do people do just before they purchase?
// The last `length` events before each event of the kind `event`, none of them earlier than `window_days` before it:
// event types, or with `by` object the things too. The same step several times in a row counts once. Where there are more
// than `goals` such events, the latest are looked at. Every event type counts.
// Group: journeys
// Events: all
// Chart: paths, path path, value times
// Parameters:
//   event (event type, default purchased): what the paths lead to
//   by (text, one of event object, default event): what a step says: the event type, or also the thing
//   length (int, steps, at least 1, at most 10, default 3): steps at most
//   window_days (float, days, above 0, default 7): how far back steps may lie
//   goals (int, events, at least 1, at most 1000000, default 20000): goals looked at
//   days (float, days, above 0, default 90): goals of so many days up to `as_of` count
//   as_of (time, default newest event): end of those days
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   path (list of event type): the steps, the last one just before the goal; empty where nothing came before
//   times (int): how often
//   share (float, 0 to 1): of the goals looked at
//   users (int): people behind them
MATCH (u:User)-[g:EVENT_TYPES]->()
WHERE type(g) = $event AND g.ts <= $as_of AND g.ts > $as_of - 86400000.0 * $days
WITH u, g.ts AS at, g.event_id AS id
ORDER BY at DESC, id
LIMIT $goals
WITH u, collect([at, id]) AS goals
CALL (u, goals) {
  MATCH (u)-[e:EVENT_TYPES]->(o)
  WITH goals, e.ts AS ts, e.event_id AS id,
       CASE WHEN $by = 'event' THEN type(e) ELSE type(e) + ' ' + coalesce(o.title, o.name, o.id) END AS step
  WHERE ts <= goals[0][0] AND ts >= goals[size(goals) - 1][0] - 86400000.0 * $window_days
  ORDER BY ts, id
  WITH goals, collect([ts, id, step]) AS events
  UNWIND goals AS g
  WITH reduce(path = [], e IN events |
    CASE WHEN (e[0] > g[0] OR e[0] = g[0] AND e[1] >= g[1]) OR e[0] < g[0] - 86400000.0 * $window_days THEN path
         WHEN size(path) > 0 AND path[size(path) - 1] = e[2] THEN path
         WHEN size(path) < $length THEN path + [e[2]]
         ELSE path[1..] + [e[2]] END) AS path
  RETURN path
}
WITH path, count(*) AS times, count(DISTINCT u) AS users
WITH collect([path, times, users]) AS found, sum(times) AS total
UNWIND found AS f
RETURN f[0] AS path, f[1] AS times, toFloat(f[1]) / total AS share, f[2] AS users
ORDER BY times DESC, size(path), path
LIMIT $limit
