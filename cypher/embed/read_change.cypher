// What moves whenever anybody's events change: tells whether something fitted earlier still holds.
// Columns:
//   users (int): how many there are
//   revisions (int): sum of their revisions
MATCH (u:User)
RETURN count(u) AS users, sum(u.rev) AS revisions
