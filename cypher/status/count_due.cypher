// How many users wait for their interests.
// Columns:
//   users (int): with tags_due
MATCH (u:User)
WHERE u.tags_due > ''
RETURN count(u) AS users
