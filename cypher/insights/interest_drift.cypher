// Which interests are growing and which are fading, of one person or of everybody?
// A tag's share of the events on direct tags of its kind, in the last `window_days` and in the window before. An event
// counts once for each tag that stands on its object. Largest change first. Only event types of positive weight count.
// Where there is no event of a kind in a window, the shares of that window are null, and so is the change.
// Group: customers
// Chart: bar, x tag, y change, series kind
// Parameters:
//   user (user id, default any): whose interests; everybody's where nobody is named
//   window_days (float, days, above 0, default 90): length of each window
//   kind (tag kind, default any): only tags of this kind
//   as_of (time, default newest event): end of the last window
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   kind (text): of the tag
//   tag (text): its name
//   events (int): in the last window
//   events_before (int): in the window before
//   share (float, 0 to 1): of the last window's events on tags of this kind
//   share_before (float, 0 to 1): the same of the window before
//   change (float, -1 to 1): share - share_before
MATCH (u:User)
WHERE $user IS NULL OR u.id = $user
CALL (u) {
  MATCH (u)-[e:EVENT_TYPES]->(o)
  WHERE e.ts <= $as_of AND e.ts > $as_of - 2 * 86400000.0 * $window_days
  WITH o, count(e) AS counted, sum(CASE WHEN e.ts > $as_of - 86400000.0 * $window_days THEN 1 ELSE 0 END) AS recent
  MATCH (o)-[:HAS_TAG]->(t:Tag)
  WHERE $kind IS NULL OR t.kind = $kind
  RETURN t, sum(recent) AS mine, sum(counted - recent) AS mine_before
}
WITH t, sum(mine) AS events, sum(mine_before) AS events_before
WITH t.kind AS kind, collect([t.name, events, events_before]) AS tags, toFloat(sum(events)) AS total,
     toFloat(sum(events_before)) AS total_before
UNWIND tags AS tag
WITH kind, tag[0] AS tag, tag[1] AS events, tag[2] AS events_before,
     CASE WHEN total > 0 THEN tag[1] / total END AS share,
     CASE WHEN total_before > 0 THEN tag[2] / total_before END AS share_before
RETURN kind, tag, events, events_before, share, share_before, share - share_before AS change
ORDER BY coalesce(abs(share - share_before), 0.0) DESC, events DESC, events_before DESC, kind, tag
LIMIT $limit
