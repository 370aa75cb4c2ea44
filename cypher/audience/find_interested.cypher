// Ids of the users with a positive interest in a tag, of a least score, or of a least share, in their order.
// Parameters:
//   kind (text): of the tag
//   name (text): of the tag
//   after (text): ids after this one; an empty text begins at the first
//   least_score (float): as of `as_of`; null where it does not matter
//   least_share (float, 0 to 1): of the user's positive interest in direct tags of this kind; null where it does not matter
//   as_of (int, epoch ms): the moment scores are read at
//   long_rate (float, per ms): ln 2 / long half-life
// Columns:
//   id (text): of the user
MATCH (:Tag {kind: $kind, name: $name})<-[r:INTERESTED_IN]-(u:User)
WHERE r.long > 0 AND u.id > $after
  AND ($least_score IS NULL OR r.long * exp((r.last_at - $as_of) * $long_rate) >= $least_score)
  AND ($least_share IS NULL OR any(i IN range(0, coalesce(size(u.interest_kinds), 0) - 1) WHERE u.interest_kinds[i] = $kind
    AND u.interest_sums[i] > 0
    AND r.long * exp((r.last_at - u.interests_at) * $long_rate) / u.interest_sums[i] >= $least_share))
RETURN u.id AS id
ORDER BY id
