// Who keeps coming, and which regulars are slipping away?
// Everybody is measured by their own rhythm: `gap_days` is the mean time between the days on which a person was active,
// `quiet_days` the time from the last of them to `as_of`. Quiet for at most `lapsing_after` gaps is loyal, for at
// most `lost_after` gaps lapsing, for longer lost. People with fewer than `min_days` active days have no rhythm yet
// and are left out. Every event type counts: a return is a visit too.
// Group: customers
// Events: all
// Chart: scatter, x gap_days, y quiet_days, label user, series status
// Parameters:
//   status (text, one of loyal lapsing lost, default any): only loyal, lapsing or lost
//   min_days (int, days, at least 2, default 4): active days needed for a rhythm
//   lapsing_after (float, gaps, above 0, default 2): up to here a person is loyal
//   lost_after (float, gaps, above 0, default 6): up to here a person is lapsing
//   as_of (time, default newest event): events up to here count
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   user (text): id
//   name (text): the person's property `name`, or null
//   status (text): loyal, lapsing or lost
//   events (int): up to as_of
//   active_days (int): days with an event
//   span_days (float): from the first event to the last
//   gap_days (float): mean time between active days
//   quiet_days (float): since the last event
//   first_at (time): first event
//   last_at (time): last event
MATCH (u:User)
CALL (u) {
  MATCH (u)-[e:EVENT_TYPES]->()
  WHERE e.ts <= $as_of
  RETURN count(e) AS events, min(e.ts) AS first_at, max(e.ts) AS last_at,
         count(DISTINCT floor(e.ts / 86400000.0)) AS active_days
}
WITH u, events, first_at, last_at, active_days
WHERE active_days >= $min_days AND active_days > 1
WITH u, events, first_at, last_at, active_days, (last_at - first_at) / 86400000.0 AS span_days,
     ($as_of - last_at) / 86400000.0 AS quiet_days
WITH u, events, first_at, last_at, active_days, span_days, quiet_days, span_days / (active_days - 1) AS gap_days
WITH u, events, first_at, last_at, active_days, span_days, quiet_days, gap_days,
     CASE WHEN quiet_days <= $lapsing_after * gap_days THEN 'loyal'
          WHEN quiet_days <= $lost_after * gap_days THEN 'lapsing'
          ELSE 'lost' END AS status
WHERE $status IS NULL OR status = $status
RETURN u.id AS user, u.name AS name, status, events, active_days, span_days, gap_days, quiet_days, first_at, last_at
ORDER BY events DESC, user
LIMIT $limit
