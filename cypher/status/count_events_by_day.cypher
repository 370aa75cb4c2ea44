// How many events there are a day, of all users or of a share of them drawn by chance.
// Parameters:
//   share (float): of the users, 0 to 1
// Columns:
//   type (text): relationship type
//   day (int): days since 1970-01-01
//   precision (text): how well the time is known: exact, month or year
//   events (int): on that day
MATCH (u:User)
WHERE $share >= 1.0 OR rand() < $share
MATCH (u)-[e:EVENT_TYPES]->()
WITH type(e) AS type, toInteger(floor(e.ts / 86400000.0)) AS day, coalesce(e.ts_precision, 'exact') AS precision
RETURN type, day, precision, count(*) AS events
