// Who are the best customers, who is new, and who is leaving: how many of each, and what are they worth?
// Recency, frequency and value of everybody's events of one kind, each scored 1 to 5 by fifths of the people. Strength
// is the mean of the scores of frequency and value. Champions: recent (4, 5) and strong (above 3.5); loyal: not long ago
// (3 to 5) and of middle strength or more (above 2.5); new: recent and not strong; fading: in the middle (3) and not
// strong; at risk: long ago (1, 2) and of middle strength or more; asleep: the rest. An event without a value counts 1.
// Group: customers
// Events: all
// Chart: bar, x segment, y users
// Parameters:
//   event (event type, default purchased): what is counted
//   days (float, days, above 0, default 365): events of so many days up to `as_of` count
//   as_of (time, default newest event): end of those days
// Columns:
//   segment (text): champions, loyal, new, fading, at risk or asleep
//   users (int): people in it
//   share (float, 0 to 1): of all people with such an event
//   recency_days (float): mean time since the last event
//   events (float): mean number of events
//   value (float): sum of the values
//   value_share (float, 0 to 1): of all value
MATCH (u:User)-[e:EVENT_TYPES]->()
WHERE type(e) = $event AND e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days
WITH u, max(e.ts) AS last, count(e) AS events, sum(coalesce(toFloat(e.value), 1.0)) AS value
WITH collect([last, events, value]) AS people, count(u) AS total, sum(value) AS all_value,
     [percentileDisc(last, 0.2), percentileDisc(last, 0.4), percentileDisc(last, 0.6), percentileDisc(last, 0.8)] AS lasts,
     [percentileDisc(events, 0.2), percentileDisc(events, 0.4), percentileDisc(events, 0.6), percentileDisc(events, 0.8)]
       AS counts,
     [percentileDisc(value, 0.2), percentileDisc(value, 0.4), percentileDisc(value, 0.6), percentileDisc(value, 0.8)]
       AS sums
UNWIND people AS p
WITH total, all_value, p[0] AS last, p[1] AS events, p[2] AS value, size([x IN lasts WHERE p[0] > x]) + 1 AS r,
     (size([x IN counts WHERE p[1] > x]) + size([x IN sums WHERE p[2] > x])) / 2.0 + 1 AS strength
WITH total, all_value, last, events, value,
     CASE WHEN r >= 4 AND strength > 3.5 THEN 'champions'
          WHEN r >= 3 AND strength > 2.5 THEN 'loyal'
          WHEN r >= 4 THEN 'new'
          WHEN r = 3 THEN 'fading'
          WHEN strength > 2.5 THEN 'at risk'
          ELSE 'asleep' END AS segment
WITH total, all_value, segment, count(*) AS users, avg(($as_of - last) / 86400000.0) AS recency_days,
     avg(events) AS events, sum(value) AS value
RETURN segment, users, toFloat(users) / total AS share, recency_days, events, value,
       CASE WHEN all_value <> 0 THEN value / all_value END AS value_share
ORDER BY value DESC, users DESC, segment
