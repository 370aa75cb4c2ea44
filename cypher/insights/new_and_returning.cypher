// How many people are new, how many stay, and how many come back or are lost?
// Per day, week (from Monday) or month, in UTC. New: the first event ever. Retained: active in the period before as well.
// Returned: active before, but not in the period just before. Lost: active in the period before and not in this one. The
// last period ends at `as_of`, so its figures are not final. Every event type counts.
// Group: growth
// Events: all
// Chart: line, x period_at, y active
// Parameters:
//   period (text, one of day week month, default week): what is counted together
//   periods (int, periods, at least 1, at most 1000, default 12): the last so many
//   as_of (time, default newest event): events up to here count
// Columns:
//   period_at (time): begin of the period
//   active (int): people with an event in it
//   new (int): of them
//   retained (int): of them
//   returned (int): of them
//   lost (int): people of the period before who are not active in this one
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
  RETURN min(n) AS first, collect(CASE WHEN n >= now - $periods THEN n END) AS active
}
UNWIND active + [n IN active WHERE NOT n + 1 IN active | n + 1] AS n
WITH n, first, active, now
WHERE n > now - $periods AND n <= now
WITH n, sum(CASE WHEN n IN active THEN 1 ELSE 0 END) AS here, sum(CASE WHEN n = first THEN 1 ELSE 0 END) AS new,
     sum(CASE WHEN n IN active AND n - 1 IN active THEN 1 ELSE 0 END) AS retained,
     sum(CASE WHEN n IN active THEN 0 ELSE 1 END) AS lost
RETURN CASE $period
         WHEN 'day' THEN n * 86400000
         WHEN 'week' THEN (n * 7 - 3) * 86400000
         ELSE datetime({year: n / 12, month: n % 12 + 1, day: 1, timezone: 'Z'}).epochMillis END AS period_at,
       here AS active, new, retained, here - new - retained AS returned, lost
ORDER BY period_at
