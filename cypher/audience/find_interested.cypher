// Ids of the users with a positive interest in a tag, in their order.
// Parameters:
//   kind (text): of the tag
//   name (text): of the tag
//   after (text): ids after this one; an empty text begins at the first
// Columns:
//   id (text): of the user
MATCH (:Tag {kind: $kind, name: $name})<-[r:INTERESTED_IN]-(u:User)
WHERE r.long > 0 AND u.id > $after
RETURN u.id AS id
ORDER BY id
