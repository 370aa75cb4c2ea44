// What do people do next?
// After every event of a person: which event comes next within `window_hours`, or nothing. `share` is of all events of
// the first kind. Every event type counts.
// Group: journeys
// Events: all
// Chart: heatmap, x next, y event, value share
// Parameters:
//   window_hours (float, hours, above 0, default 24): longest time to the next event
//   days (float, days, above 0, default 90): events of so many days up to `as_of` count
//   as_of (time, default newest event): end of those days
//   limit (int, rows, at least 1, at most 10000, default 100): rows at most
// Columns:
//   event (event type): what was done
//   next (event type): what came next, or nothing
//   times (int): how often
//   share (float, 0 to 1): of the events of the first kind
MATCH (u:User)
CALL (u) {
  MATCH (u)-[e:EVENT_TYPES]->()
  WHERE e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days
  WITH e.ts AS ts, type(e) AS event
  ORDER BY ts, event
  WITH collect([ts, event]) AS events
  UNWIND range(0, size(events) - 1) AS i
  WITH events[i] AS e, events[i + 1] AS n
  WITH e[1] AS event, CASE WHEN n[0] <= e[0] + 3600000.0 * $window_hours THEN n[1] ELSE 'nothing' END AS next
  RETURN event, next, count(*) AS n
}
WITH event, next, sum(n) AS times
WITH event, collect([next, times]) AS ways, sum(times) AS total
UNWIND ways AS w
RETURN event, w[0] AS next, w[1] AS times, toFloat(w[1]) / total AS share
ORDER BY times DESC, event, next
LIMIT $limit
