// Where do people say one thing and do another?
// Of the people who both said something about a thing (a rating, a like, an answer: explicit event types) and did something
// with it, how far apart the two are, person by person: the sum of what is said over 1 and its size, the same of what is
// done, both from -1 to 1; their geometric mean where the signs differ, else 0. Every event counts in full, however old.
// With `by` tag a thing counts for each of its direct tags. Things with fewer than `min_users` such people are left out.
// Every event type counts.
// Group: items
// Events: all
// Chart: scatter, x says, y does, label title, size people
// Parameters:
//   by (text, one of thing tag, default thing): what a row is about
//   min_users (int, users, at least 1, default 5): people who both said and did something
//   days (float, days, above 0, default 365): events of so many days up to `as_of` count
//   as_of (time, default newest event): end of those days
//   rules (map, from the vocabulary): relationship type -> {weight, value, neutral, feedback}
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   id (text): of the thing; of a tag kind:name
//   kind (text): item, content or tag
//   title (text): its title, or its id; of a tag its name
//   people (int): who both said and did something
//   apart (int): of them, for whom the two are apart by 0.25 or more
//   says (float): what they say on average, from -1 to 1
//   does (float): what they do on average, from -1 to 1
//   disagreement (float): how far apart the two are on average, from 0 to 1
CALL {
  MATCH (o:Item|Content)
  WHERE $by = 'thing'
  CALL (o) {
    MATCH (o)<-[e:EVENT_TYPES]-(u:User)
    WHERE e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days
    WITH u, collect([type(e), e.value, 1.0]) AS events,
         sum(CASE $rules[type(e)].feedback WHEN 'explicit' THEN 1 ELSE 0 END) AS words
    // Most people only do: the sums are for who does both.
    WHERE words > 0 AND words < size(events)
    WITH [x IN events | [CASE $rules[x[0]].feedback WHEN 'explicit' THEN 1 ELSE 0 END,
           x[2] * $rules[x[0]].weight * CASE $rules[x[0]].value
             WHEN 'rating' THEN coalesce(x[1], $rules[x[0]].neutral) - $rules[x[0]].neutral
             WHEN 'amount' THEN CASE WHEN x[1] IS NULL THEN 1.0 ELSE log(1.0 + abs(x[1])) END
             ELSE 1.0 END]] AS parts
    WITH reduce(s = 0.0, p IN parts | s + p[0] * p[1]) / reduce(s = 1.0, p IN parts | s + p[0] * abs(p[1])) AS says,
         reduce(s = 0.0, p IN parts | s + (1 - p[0]) * p[1])
           / reduce(s = 1.0, p IN parts | s + (1 - p[0]) * abs(p[1])) AS does
    WITH says, does, CASE WHEN says * does < 0 THEN sqrt(-says * does) ELSE 0.0 END AS gap
    RETURN count(*) AS people, sum(CASE WHEN gap >= 0.25 THEN 1 ELSE 0 END) AS apart, avg(says) AS says,
           avg(does) AS does, avg(gap) AS gap
  }
  WITH o, people, apart, says, does, gap
  WHERE people >= $min_users
  RETURN o.id AS id, toLower(head(labels(o))) AS kind, coalesce(o.title, o.id) AS title, people, apart, says, does, gap
  UNION ALL
  MATCH (t:Tag)
  WHERE $by = 'tag'
  CALL (t) {
    MATCH (t)<-[h:HAS_TAG]-(o:Item|Content)<-[e:EVENT_TYPES]-(u:User)
    WHERE e.ts <= $as_of AND e.ts > $as_of - 86400000.0 * $days
    WITH u, collect([type(e), e.value, h.weight]) AS events,
         sum(CASE $rules[type(e)].feedback WHEN 'explicit' THEN 1 ELSE 0 END) AS words
    WHERE words > 0 AND words < size(events)
    WITH [x IN events | [CASE $rules[x[0]].feedback WHEN 'explicit' THEN 1 ELSE 0 END,
           x[2] * $rules[x[0]].weight * CASE $rules[x[0]].value
             WHEN 'rating' THEN coalesce(x[1], $rules[x[0]].neutral) - $rules[x[0]].neutral
             WHEN 'amount' THEN CASE WHEN x[1] IS NULL THEN 1.0 ELSE log(1.0 + abs(x[1])) END
             ELSE 1.0 END]] AS parts
    WITH reduce(s = 0.0, p IN parts | s + p[0] * p[1]) / reduce(s = 1.0, p IN parts | s + p[0] * abs(p[1])) AS says,
         reduce(s = 0.0, p IN parts | s + (1 - p[0]) * p[1])
           / reduce(s = 1.0, p IN parts | s + (1 - p[0]) * abs(p[1])) AS does
    WITH says, does, CASE WHEN says * does < 0 THEN sqrt(-says * does) ELSE 0.0 END AS gap
    RETURN count(*) AS people, sum(CASE WHEN gap >= 0.25 THEN 1 ELSE 0 END) AS apart, avg(says) AS says,
           avg(does) AS does, avg(gap) AS gap
  }
  WITH t, people, apart, says, does, gap
  WHERE people >= $min_users
  RETURN t.kind + ':' + t.name AS id, 'tag' AS kind, t.name AS title, people, apart, says, does, gap
}
RETURN id, kind, title, people, apart, says, does, round(1000000000.0 * gap) / 1000000000.0 AS disagreement
ORDER BY disagreement DESC, people DESC, kind, id
LIMIT $limit
