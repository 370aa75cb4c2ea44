// How many users wait for their interests.
// Columns:
//   users (int): with tags_due
MATCH (u:User {tags_due: true})
RETURN count(u) AS users
