// How are these two people connected?
// The shortest ways first: one deals with the other directly (1 hop), both dealt with the same thing (2 hops), each
// dealt with something of the same tag, or each shares a thing with the same third person (4 hops; looked for only
// where the shorter ways are fewer than `limit`). Among ways of one length the rarer link comes first: it says more.
// Only event types of positive weight count. Of each person the latest `breadth` things are followed, and for a third
// person only things that at most `hub` events touch, so that a bestseller links nobody. What both dealt with is a
// shared thing and nothing else.
// Group: communities
// Chart: paths, path path, value hops
// Parameters:
//   user (user id): one end
//   other (user id): the other end
//   breadth (int, things, at least 1, default 200): things followed per person
//   hub (int, events, at least 1, default 500): more events than this make a thing too common to link through a third person
//   limit (int, rows, at least 1, at most 10000, default 5): rows at most
// Columns:
//   hops (int): relationships on the way
//   how (text): direct, shared thing, shared tag or shared person
//   via (text): what links the two
//   path (list of text): the way, step by step
//   user (text): id of the person that links them, or null
//   shared_by (int): events on the thing, things of the tag or events of the person that links them; small is telling
CALL () {
  MATCH (a:User {id: $user})-[e:EVENT_TYPES]-(b:User {id: $other})
  WITH DISTINCT type(e) AS did, startNode(e).id AS source, endNode(e).id AS target
  RETURN 1 AS hops, 'direct' AS how, did AS via, [source, did, target] AS path, null AS user, 1 AS shared_by
  UNION ALL
  MATCH (a:User {id: $user})-[e:EVENT_TYPES]->(o)<-[f:EVENT_TYPES]-(b:User {id: $other})
  WITH o, min(type(e)) AS did, min(type(f)) AS other_did
  WITH o, coalesce(o.title, o.name, o.id) AS via, did, other_did, COUNT { (o)<-[:EVENT_TYPES]-() } AS shared_by
  ORDER BY shared_by, o.id
  LIMIT $limit
  RETURN 2 AS hops, 'shared thing' AS how, via, [$user, did, via, other_did, $other] AS path,
    CASE WHEN o:User THEN o.id END AS user, shared_by
}
WITH collect([hops, how, via, path, user, shared_by]) AS short
CALL (short) {
  WITH short
  WHERE size(short) < $limit
  UNWIND [$user, $other] AS who
  CALL (who) {
    MATCH (:User {id: who})-[e:EVENT_TYPES]->(o)
    WITH o, max(e.ts) AS latest
    ORDER BY latest DESC, o.id
    LIMIT $breadth
    WITH o, latest
    WHERE NOT (EXISTS { (o)<-[:EVENT_TYPES]-(:User {id: $user}) }
               AND EXISTS { (o)<-[:EVENT_TYPES]-(:User {id: $other}) })
    MATCH (o)-[:HAS_TAG]->(t:Tag)
    RETURN t, head(collect(coalesce(o.title, o.name, o.id))) AS thing
  }
  WITH t, collect([who, thing]) AS sides
  WHERE size(sides) = 2
  WITH t, [x IN sides WHERE x[0] = $user | x[1]] + [x IN sides WHERE x[0] = $other | x[1]] AS things, COUNT { (t)<-[:HAS_TAG]-() } AS shared_by
  ORDER BY shared_by, t.kind, t.name
  LIMIT $limit
  RETURN collect([4, 'shared tag', t.kind + ':' + t.name,
                  [$user, things[0], t.kind + ':' + t.name, things[1], $other], null, shared_by]) AS through_tags
}
CALL (short) {
  WITH short
  WHERE size(short) < $limit
  UNWIND [$user, $other] AS who
  CALL (who) {
    MATCH (:User {id: who})-[e:EVENT_TYPES]->(o)
    WITH o, max(e.ts) AS latest
    ORDER BY latest DESC, o.id
    LIMIT $breadth
    WITH o, latest
    WHERE COUNT { (o)<-[:EVENT_TYPES]-() } <= $hub
      AND NOT (EXISTS { (o)<-[:EVENT_TYPES]-(:User {id: $user}) }
               AND EXISTS { (o)<-[:EVENT_TYPES]-(:User {id: $other}) })
    MATCH (o)<-[:EVENT_TYPES]-(c:User)
    WHERE c.id <> $user AND c.id <> $other
    RETURN c, head(collect(coalesce(o.title, o.name, o.id))) AS thing
  }
  WITH c, collect([who, thing]) AS sides
  WHERE size(sides) = 2
  WITH c, [x IN sides WHERE x[0] = $user | x[1]] + [x IN sides WHERE x[0] = $other | x[1]] AS things, COUNT { (c)-[:EVENT_TYPES]->() } AS shared_by
  ORDER BY shared_by, c.id
  LIMIT $limit
  RETURN collect([4, 'shared person', coalesce(c.name, c.id),
                  [$user, things[0], coalesce(c.name, c.id), things[1], $other], c.id, shared_by]) AS through_people
}
UNWIND short + through_tags + through_people AS way
WITH way[0] AS hops, way[1] AS how, way[2] AS via, way[3] AS path, way[4] AS user, way[5] AS shared_by
RETURN hops, how, via, path, user, shared_by
ORDER BY hops, shared_by, how, via
LIMIT $limit
