// Of those who came first in a period, how many are still active later?
// A cohort is everybody whose first event ever lies in the same day, week (from Monday) or month, in UTC. Age 0 is the
// period of the first event. The last period ends at `as_of`, so the last age of each cohort is not final. Ages at which
// nobody was active have no row. Every event type counts.
// Group: growth
// Events: all
// Chart: heatmap, x age, y cohort_at, value share
// Parameters:
//   period (text, one of day week month, default month): what is counted together
//   periods (int, periods, at least 1, at most 366, default 12): the last so many cohorts
//   as_of (time, default newest event): events up to here count
// Columns:
//   cohort_at (time): begin of the period of the first event
//   age (int, periods): since then
//   size (int): people of the cohort
//   users (int): of them, who are active at that age
//   share (float, 0 to 1): users / size
WITH CASE $period
       WHEN 'day' THEN toInteger(floor($as_of / 86400000.0))
       WHEN 'week' THEN toInteger(floor((toInteger(floor($as_of / 86400000.0)) + 3) / 7.0))
       ELSE datetime({epochMillis: $as_of}).year * 12 + datetime({epochMillis: $as_of}).month - 1 END AS now
MATCH (u:User)
CALL (u, now) {
  MATCH (u)-[e:EVENT_TYPES]->()
  WHERE e.ts <= $as_of
  WITH DISTINCT now, toInteger(floor(e.ts / 86400000.0)) AS day
  WITH DISTINCT now, CASE $period
           WHEN 'day' THEN day
           WHEN 'week' THEN toInteger(floor((day + 3) / 7.0))
           ELSE datetime({epochMillis: day * 86400000}).year * 12 + datetime({epochMillis: day * 86400000}).month - 1 END AS n
  RETURN min(n) AS cohort, collect(n) AS active
}
WITH now, cohort, active
WHERE cohort > now - $periods
UNWIND active AS n
WITH cohort, n - cohort AS age, count(*) AS users
WITH cohort, collect([age, users]) AS ages, max(CASE WHEN age = 0 THEN users END) AS size
UNWIND ages AS a
RETURN CASE $period
         WHEN 'day' THEN cohort * 86400000
         WHEN 'week' THEN (cohort * 7 - 3) * 86400000
         ELSE datetime({year: cohort / 12, month: cohort % 12 + 1, day: 1, timezone: 'Z'}).epochMillis END AS cohort_at,
       a[0] AS age, size, a[1] AS users, toFloat(a[1]) / size AS share
ORDER BY cohort_at, age
