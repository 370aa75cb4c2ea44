// How many people get from the first step to the last, and where do the others stop?
// Steps are event types in order; other events may lie between. A person has reached a step who took it and all before
// it, one after the other, within `window_days` of the first; any beginning counts. Events of the same moment count in
// the order of the steps.
// Group: journeys
// Events: all
// Chart: funnel, stage event, value users
// Parameters:
//   steps (event types, default viewed added_to_cart purchased): two to ten, in order
//   window_days (float, days, above 0, default 30): from the first step to the last
//   days (float, days, above 0, default 90): events of so many days up to `as_of` count
//   as_of (time, default newest event): end of those days
// Columns:
//   step (int): number of the step, from 1
//   event (event type): the step
//   users (int): people who reached it
//   share (float, 0 to 1): of those who took the first step
//   share_of_previous (float, 0 to 1): of those who reached the step before
MATCH (u:User)
CALL (u) {
  MATCH (u)-[e:EVENT_TYPES]->()
  WHERE type(e) IN $steps AND e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days
  WITH e.ts AS ts, type(e) AS event, [i IN range(0, size($steps) - 1) WHERE $steps[i] = type(e)][0] AS place
  ORDER BY ts, place
  WITH collect([ts, event]) AS events
  // For each step the latest beginning from which it was reached: one pass finds every way through.
  WITH reduce(begun = [s IN $steps | null], e IN events |
    [i IN range(0, size($steps) - 1) |
      CASE WHEN e[1] <> $steps[i] THEN begun[i]
           WHEN i = 0 THEN e[0]
           WHEN begun[i - 1] >= e[0] - 86400000.0 * $window_days THEN begun[i - 1]
           ELSE begun[i] END]) AS begun
  RETURN size([b IN begun WHERE b IS NOT NULL]) AS reached
}
WITH reached, count(*) AS users
WITH collect([reached, users]) AS found
UNWIND range(1, size($steps)) AS step
WITH step, reduce(n = 0, f IN found | n + CASE WHEN f[0] >= step THEN f[1] ELSE 0 END) AS users,
     reduce(n = 0, f IN found | n + CASE WHEN f[0] >= 1 THEN f[1] ELSE 0 END) AS began,
     reduce(n = 0, f IN found | n + CASE WHEN f[0] >= step - 1 AND f[0] >= 1 THEN f[1] ELSE 0 END) AS previous
RETURN step, $steps[step - 1] AS event, users, CASE WHEN began > 0 THEN toFloat(users) / began END AS share,
       CASE WHEN previous > 0 THEN toFloat(users) / previous END AS share_of_previous
ORDER BY step
