// How much do people spend, and how many of them?
// Sum of the values of one kind of event per day, week (from Monday) or month, in UTC. Periods without such an event have
// no row. The last period ends at `as_of`, so its figures are not final.
// Group: growth
// Events: all
// Chart: line, x period_at, y value
// Parameters:
//   event (event type, default purchased): what is counted
//   period (text, one of day week month, default month): what is counted together
//   periods (int, periods, at least 1, at most 1000, default 12): the last so many
//   as_of (time, default newest event): events up to here count
// Columns:
//   period_at (time): begin of the period
//   events (int): in it
//   users (int): people behind them
//   value (float): sum of their values; events without one count 0
//   value_per_user (float): value / users
WITH CASE $period
       WHEN 'day' THEN toInteger(floor($as_of / 86400000.0))
       WHEN 'week' THEN toInteger(floor((toInteger(floor($as_of / 86400000.0)) + 3) / 7.0))
       ELSE datetime({epochMillis: $as_of}).year * 12 + datetime({epochMillis: $as_of}).month - 1 END AS now
MATCH (u:User)
CALL (u, now) {
  MATCH (u)-[e:EVENT_TYPES]->()
  WHERE type(e) = $event AND e.ts <= $as_of
  WITH now, toInteger(floor(e.ts / 86400000.0)) AS day, coalesce(toFloat(e.value), 0.0) AS value
  WITH now, value, CASE $period
           WHEN 'day' THEN day
           WHEN 'week' THEN toInteger(floor((day + 3) / 7.0))
           ELSE datetime({epochMillis: day * 86400000}).year * 12 + datetime({epochMillis: day * 86400000}).month - 1 END AS n
  WHERE n > now - $periods
  RETURN n, count(*) AS mine, sum(value) AS spent
}
WITH n, sum(mine) AS events, count(*) AS users, sum(spent) AS value
RETURN CASE $period
         WHEN 'day' THEN n * 86400000
         WHEN 'week' THEN (n * 7 - 3) * 86400000
         ELSE datetime({year: n / 12, month: n % 12 + 1, day: 1, timezone: 'Z'}).epochMillis END AS period_at,
       events, users, value, value / users AS value_per_user
ORDER BY period_at
