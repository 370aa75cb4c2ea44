// When in the week are people active?
// Events by weekday and hour of day, in UTC shifted by `utc_offset_hours`; hours without an event have no row. Events
// of which only the year or the month is known are left out. Every event type counts.
// Group: customers
// Events: all
// Chart: heatmap, x hour, y weekday, value events
// Parameters:
//   event (event type, default any): count only events of this name
//   days (float, days, above 0, default 90): events of so many days up to `as_of` count
//   utc_offset_hours (float, hours, at least -12, at most 14, default 0): added to UTC
//   as_of (time, default newest event): end of those days
// Columns:
//   weekday (int, 1 to 7): 1 is Monday
//   hour (int, 0 to 23): of the day
//   events (int): in that hour
//   users (int): people behind them
MATCH (u:User)
CALL (u) {
  MATCH (u)-[e:EVENT_TYPES]->()
  WHERE e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days AND ($event IS NULL OR type(e) = $event)
    AND NOT coalesce(e.ts_precision, 'exact') IN ['year', 'month']
  WITH toInteger(floor((e.ts + $utc_offset_hours * 3600000.0) / 3600000.0)) AS hours
  WITH hours, toInteger(floor(hours / 24.0)) AS day
  WITH day - 7 * toInteger(floor((day + 3) / 7.0)) + 4 AS weekday, hours - 24 * day AS hour
  RETURN weekday, hour, count(*) AS n
}
RETURN weekday, hour, sum(n) AS events, count(*) AS users
ORDER BY weekday, hour
