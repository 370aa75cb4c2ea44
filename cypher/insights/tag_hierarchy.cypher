// How do events divide over the hierarchy of tags?
// An event counts once for each tag of its object and for all broader ones. The tags with the most events are shown;
// a tag that is part of several has a row for each. Only event types of positive weight count.
// Group: content
// Chart: treemap, label tag, parent part_of, value events
// Parameters:
//   kind (tag kind, default any): only tags of this kind
//   days (float, days, above 0, default 90): events of so many days up to `as_of` count
//   as_of (time, default newest event): end of those days
//   limit (int, tags, at least 1, at most 1000, default 100): tags at most
// Columns:
//   kind (text): of the tag
//   tag (text): its name
//   part_of (text): name of the broader tag of the same kind, or null
//   events (int): on the tag and all below it
//   share (float, 0 to 1): of all events on things in these days
//   share_of_broader (float, 0 to 1): of the broader tag's events; null where there is none
MATCH (:User)-[e:EVENT_TYPES]->(o)
WHERE e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days AND (o:Item OR o:Content)
WITH count(e) AS total
MATCH (o:Item|Content)
WITH total, o, COUNT { (o)<-[e:EVENT_TYPES]-(:User) WHERE e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days } AS n
WHERE n > 0
CALL (o) {
  MATCH (o)-[:HAS_TAG]->(:Tag)-[:PART_OF*0..16]->(t:Tag)
  WHERE $kind IS NULL OR t.kind = $kind
  RETURN DISTINCT t
}
WITH total, t, sum(n) AS events
ORDER BY events DESC, t.kind, t.name
LIMIT $limit
WITH total, collect([t, events, t.kind, t.name]) AS found
UNWIND found AS f
WITH total, found, f[0] AS t, f[1] AS events
OPTIONAL MATCH (t)-[:PART_OF]->(b:Tag)
WHERE b.kind = t.kind
WITH total, t, events, b, head([f IN found WHERE f[2] = b.kind AND f[3] = b.name | f[1]]) AS broader
RETURN t.kind AS kind, t.name AS tag, b.name AS part_of, events, toFloat(events) / total AS share,
       toFloat(events) / broader AS share_of_broader
ORDER BY events DESC, kind, tag, part_of
