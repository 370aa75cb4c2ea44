// Which things do people come back for?
// Of the people who dealt with a thing, those who did so on more than one day. Things with fewer than `min_users` people
// are left out. Only event types of positive weight count.
// Group: items
// Chart: bar, x title, y rate
// Parameters:
//   event (event type, default any): count only events of this name
//   min_users (int, users, at least 1, default 10): people a thing must have
//   days (float, days, above 0, default 365): events of so many days up to `as_of` count
//   as_of (time, default newest event): end of those days
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   id (text): of the thing
//   kind (text): item or content
//   title (text): its title, or its id
//   users (int): people who dealt with it
//   came_back (int): of them, who did so on more than one day
//   rate (float, 0 to 1): came_back / users
//   days_each (float): mean number of days per person
MATCH (o:Item|Content)
CALL (o) {
  MATCH (o)<-[e:EVENT_TYPES]-(u:User)
  WHERE e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days AND ($event IS NULL OR type(e) = $event)
  WITH u, count(DISTINCT floor(e.ts / 86400000.0)) AS active
  RETURN count(u) AS users, sum(CASE WHEN active > 1 THEN 1 ELSE 0 END) AS came_back, avg(active) AS days_each
}
WITH o, users, came_back, days_each
WHERE users >= $min_users
WITH o, users, came_back, toFloat(came_back) / users AS rate, days_each
RETURN o.id AS id, toLower(head(labels(o))) AS kind, coalesce(o.title, o.id) AS title, users, came_back, rate, days_each
ORDER BY rate DESC, users DESC, kind, id
LIMIT $limit
