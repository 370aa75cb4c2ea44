// How much do the audiences of two tags overlap?
// Everybody with a positive interest in a tag belongs to its audience, as `tags` left the interests; broader tags count
// what lies below them. `jaccard` is the part of both audiences together that is in both; `lift` compares the overlap with
// what chance would have among all people with interests: above 1 the two attract the same people.
// Group: communities
// Chart: table
// Parameters:
//   tag (tag): name of the one, or kind:name
//   kind (tag kind, default any): of it, where the name alone is ambiguous
//   other_tag (tag): name of the other, or kind:name
//   other_kind (tag kind, default any): of the other
//   min_events (int, events, at least 1, default 1): events an interest must rest on
// Columns:
//   users (int): audience of the one
//   other_users (int): audience of the other
//   both (int): in both
//   either (int): in one at least
//   share (float, 0 to 1): of the one's audience, also in the other's
//   other_share (float, 0 to 1): of the other's audience, also in the one's
//   jaccard (float, 0 to 1): both / either
//   lift (float): overlap over what chance would have
MATCH (u:User)
WHERE EXISTS { (u)-[:INTERESTED_IN]->(:Tag) }
WITH count(u) AS interested
UNWIND [[$kind, $tag, 1], [$other_kind, $other_tag, 2]] AS side
MATCH (:Tag {kind: side[0], name: side[1]})<-[r:INTERESTED_IN]-(u:User)
WHERE r.long > 0 AND r.events >= $min_events
WITH interested, u, sum(side[2]) AS sides
WITH interested, sum(CASE WHEN sides <> 2 THEN 1 ELSE 0 END) AS users,
     sum(CASE WHEN sides <> 1 THEN 1 ELSE 0 END) AS other_users, sum(CASE WHEN sides = 3 THEN 1 ELSE 0 END) AS both,
     count(u) AS either
RETURN users, other_users, both, either, CASE WHEN users > 0 THEN toFloat(both) / users END AS share,
       CASE WHEN other_users > 0 THEN toFloat(both) / other_users END AS other_share, toFloat(both) / either AS jaccard,
       CASE WHEN users > 0 AND other_users > 0 THEN toFloat(both) * interested / (toFloat(users) * other_users) END AS lift
