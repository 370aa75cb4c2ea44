// Whose activity has dropped?
// The events of the last `window_days` beside the mean of the `windows` windows of that length just before. People
// with fewer than `min_events` a window before have no level yet and are left out. Most events lost first. Every event
// type counts: a return is a visit too.
// Group: customers
// Events: all
// Chart: scatter, x usual, y events, label user
// Parameters:
//   window_days (float, days, above 0, default 30): length of each window
//   windows (int, windows, at least 1, at most 100, default 3): that make up the usual level
//   min_events (float, events a window, above 0, default 3): usual level a person must have had
//   drop (float, at least 0, at most 1, default 0.5): smallest part of the usual level that is gone
//   as_of (time, default newest event): end of the last window
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   user (text): id
//   name (text): the person's property `name`, or null
//   events (int): in the last window
//   usual (float): events per window before
//   drop (float, 0 to 1): part of the usual level that is gone
//   last_at (time): last event
MATCH (u:User)
CALL (u) {
  MATCH (u)-[e:EVENT_TYPES]->()
  WHERE e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $window_days * (1 + $windows)
  RETURN max(e.ts) AS last_at, count(e) AS counted,
         sum(CASE WHEN e.ts > $as_of - 86400000.0 * $window_days THEN 1 ELSE 0 END) AS events
}
WITH u, last_at, events, toFloat(counted - events) / $windows AS usual
WHERE usual >= $min_events AND events <= (1 - $drop) * usual
RETURN u.id AS user, u.name AS name, events, usual, 1 - events / usual AS drop, last_at
ORDER BY usual - events DESC, user
LIMIT $limit
