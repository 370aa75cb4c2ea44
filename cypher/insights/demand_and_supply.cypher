// Which tags are asked for more than there are things of them?
// The tag's share of the events on things over its share of the things: above 1 there is more demand than supply. A
// thing counts for each of its direct tags. Tags with fewer than `min_events` are left out. Only event types of positive
// weight count.
// Group: content
// Chart: scatter, x things, y events, label tag, series kind
// Parameters:
//   kind (tag kind, default any): only tags of this kind
//   min_events (int, events, at least 1, default 10): events a tag must have
//   days (float, days, above 0, default 90): events of so many days up to `as_of` count
//   as_of (time, default newest event): end of those days
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   kind (text): of the tag
//   tag (text): its name
//   things (int): items and content with the tag
//   events (int): on them
//   events_per_thing (float): events / things
//   demand (float): share of the events / share of the things, within tags of the kind
MATCH (o:Item|Content)
WITH o, COUNT { (o)<-[e:EVENT_TYPES]-(:User) WHERE e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days } AS n
MATCH (o)-[:HAS_TAG]->(t:Tag)
WHERE $kind IS NULL OR t.kind = $kind
WITH t, count(o) AS things, sum(n) AS events
WITH t.kind AS kind, collect([t.name, things, events]) AS tags, sum(things) AS all_things, sum(events) AS all_events
UNWIND tags AS tag
WITH kind, tag[0] AS tag, tag[1] AS things, tag[2] AS events, all_things, all_events
WHERE events >= $min_events
RETURN kind, tag, things, events, toFloat(events) / things AS events_per_thing,
       toFloat(events) * all_things / (toFloat(all_events) * things) AS demand
ORDER BY demand DESC, events DESC, kind, tag
LIMIT $limit
