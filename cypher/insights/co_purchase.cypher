// Which things did the people who got this item get as well?
// Counts people, not events, over event types of positive weight. `share` is the part of the item's people who also
// got the other one (confidence); `lift` compares that with the part of all active people who got it: above 1 the two
// go together more than chance has it. Where an item has more than `audience` people, its latest ones are looked at.
// Group: items
// Chart: bar, x id, y co_users
// Parameters:
//   item (item id): the item people start from
//   event (event type, default any): count only events of this name, such as purchased
//   min_users (int, users, at least 1, default 2): leave out what fewer people got
//   audience (int, users, at least 1, default 5000): look at no more people than this
//   limit (int, rows, at least 1, at most 10000, default 20): rows at most
// Columns:
//   id (text): of the other item
//   title (text): its title, or null
//   co_users (int, users): people who got both
//   share (float, 0 to 1): of the people looked at
//   lift (float): share / share among all active people
//   users (int, users): people who got the other one
MATCH (a:User)
WHERE EXISTS { (a)-[:EVENT_TYPES]->() }
WITH count(a) AS active
MATCH (:Item {id: $item})<-[e:EVENT_TYPES]-(u:User)
WHERE $event IS NULL OR type(e) = $event
WITH active, u, max(e.ts) AS latest
ORDER BY latest DESC, u.id
LIMIT $audience
WITH active, collect(u) AS people
WITH active, people, size(people) AS looked_at
UNWIND people AS u
WITH active, looked_at, u
MATCH (u)-[e:EVENT_TYPES]->(o:Item)
WHERE o.id <> $item AND ($event IS NULL OR type(e) = $event)
WITH active, looked_at, o, count(DISTINCT u) AS co_users
WHERE co_users >= $min_users
WITH active, looked_at, o, co_users
ORDER BY co_users DESC, o.id
LIMIT $limit
MATCH (o)<-[e:EVENT_TYPES]-(v:User)
WHERE $event IS NULL OR type(e) = $event
WITH active, looked_at, o, co_users, count(DISTINCT v) AS users
WITH o, co_users, users, toFloat(co_users) / looked_at AS share, active
RETURN o.id AS id, o.title AS title, co_users, share, share * active / users AS lift, users
ORDER BY co_users DESC, lift DESC, id
