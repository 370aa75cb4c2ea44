// How does interest in a thing go as the thing gets older?
// The age of a thing counts from its first event, in steps of `step_days`. Of every age, only things that have lived
// through the whole of it count, so a young range of things doesn't look like a dying one. One thing where `item` is
// given, else all. Only event types of positive weight count.
// Group: items
// Chart: line, x age_days, y events_per_item
// Parameters:
//   item (item id, default any): one thing alone
//   event (event type, default any): count only events of this name
//   step_days (float, days, above 0, default 30): length of a step
//   as_of (time, default newest event): events up to here count
//   limit (int, steps, at least 1, at most 1000, default 12): steps at most
// Columns:
//   age_days (float): age at which the step begins
//   items (int): things that have lived through it
//   events (int): on those things in this step
//   events_per_item (float): events / items
//   share (float, 0 to 1): of the events of all steps shown, per thing
MATCH (o:Item)
WHERE $item IS NULL OR o.id = $item
CALL (o) {
  MATCH (o)<-[e:EVENT_TYPES]-(:User)
  WHERE e.ts <= $as_of AND ($event IS NULL OR type(e) = $event)
  WITH min(e.ts) AS first, collect(e.ts) AS times
  WITH first, [t IN times | toInteger(floor((t - first) / (86400000.0 * $step_days)))] AS ages
  RETURN ages, toInteger(floor(($as_of - first) / (86400000.0 * $step_days))) AS lived
}
WITH ages, CASE WHEN lived > $limit THEN $limit ELSE lived END AS lived
WHERE lived > 0
UNWIND range(0, lived - 1) AS age
WITH age, size([a IN ages WHERE a = age]) AS events
WITH age, count(*) AS items, sum(events) AS events
WITH collect([age, items, events]) AS steps, sum(toFloat(events) / items) AS total
UNWIND steps AS s
RETURN s[0] * $step_days AS age_days, s[1] AS items, s[2] AS events, toFloat(s[2]) / s[1] AS events_per_item,
       CASE WHEN total > 0 THEN s[2] / (s[1] * total) END AS share
ORDER BY age_days
