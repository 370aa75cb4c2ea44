// Which content leads to purchases?
// Of the people who touched a piece of content, those who reached `goal` within `window_days` after touching it.
// `lift` compares that with the same share over all pieces together: above 1 a piece leads to more than is usual.
// Content with fewer than `min_users` people is left out. With `kind` item the same is asked of things.
// Group: content
// Events: all
// Chart: scatter, x users, y share, label title
// Parameters:
//   goal (event type, default purchased): what the content should lead to
//   kind (text, one of content item, default content): what people touched
//   window_days (float, days, above 0, default 7): time from the touch to the goal
//   min_users (int, users, at least 1, default 10): people a piece must have
//   days (float, days, above 0, default 90): events of so many days up to `as_of` count
//   as_of (time, default newest event): end of those days
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   id (text): of the content
//   title (text): its title, or its id
//   users (int): people who touched it
//   followed (int): of them, who reached the goal afterwards
//   share (float, 0 to 1): followed / users
//   lift (float): share over the share of all pieces together; null where nobody reached the goal
MATCH (u:User)
CALL (u) {
  MATCH (u)-[e:EVENT_TYPES]->(o)
  WHERE e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days
  WITH collect(CASE WHEN type(e) = $goal THEN e.ts END) AS goals,
       collect(CASE WHEN type(e) <> $goal AND ($kind = 'content' AND o:Content OR $kind = 'item' AND o:Item)
                    THEN [o, e.ts] END) AS touches
  UNWIND touches AS t
  WITH t[0] AS o, t[1] AS ts, goals
  WITH o, max(CASE WHEN any(g IN goals WHERE g > ts AND g <= ts + 86400000.0 * $window_days) THEN 1 ELSE 0 END) AS led
  RETURN o, led
}
WITH o, count(*) AS users, sum(led) AS followed
WITH collect([o, users, followed]) AS pieces, sum(users) AS all_users, sum(followed) AS all_followed
UNWIND pieces AS p
WITH p[0] AS o, p[1] AS users, p[2] AS followed, toFloat(all_followed) / all_users AS usual
WHERE users >= $min_users
WITH o, users, followed, toFloat(followed) / users AS share, usual
RETURN o.id AS id, coalesce(o.title, o.id) AS title, users, followed, share, CASE WHEN usual > 0 THEN share / usual END AS lift
ORDER BY share DESC, users DESC, id
LIMIT $limit
