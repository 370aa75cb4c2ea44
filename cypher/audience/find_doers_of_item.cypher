// Ids of the users who dealt with an item or with content, in their order.
// Parameters:
//   item (text): its id
//   after (text): ids after this one; an empty text begins at the first
//   since (int, epoch ms): events from here on count
//   until (int, epoch ms): events up to here count
//   times (int): at least so many
// Columns:
//   id (text): of the user
CALL () {
  MATCH (o:Item {id: $item})<-[e:EVENT_TYPES]-(u:User)
  WHERE e.ts >= $since AND e.ts <= $until AND u.id > $after
  RETURN u.id AS id
  UNION ALL
  MATCH (o:Content {id: $item})<-[e:EVENT_TYPES]-(u:User)
  WHERE e.ts >= $since AND e.ts <= $until AND u.id > $after
  RETURN u.id AS id
}
WITH id, count(*) AS events
WHERE events >= $times
RETURN id
ORDER BY id
