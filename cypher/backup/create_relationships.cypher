// Create relationships of one type.
// Parameters:
//   groups (list of [engine's id of the start, list of [engine's id of the end, properties, times]]): times as [name, kind, texts, whether it is a list]
// Columns:
//   created (int): relationships
UNWIND $groups AS g
MATCH (a) WHERE elementId(a) = g[0]
UNWIND g[1] AS row
MATCH (b) WHERE elementId(b) = row[0]
CREATE (a)-[r:QUOTED_NAMES]->(b)
SET r = row[1]
FOREACH (t IN row[2] | SET r[t[0]] = CASE WHEN t[3] THEN [x IN t[2] | CASE t[1]
      WHEN 'datetime' THEN datetime(x)
      WHEN 'localdatetime' THEN localdatetime(x)
      WHEN 'date' THEN date(x)
      WHEN 'time' THEN time(x)
      WHEN 'localtime' THEN localtime(x)
      ELSE duration(x) END]
    ELSE head([x IN t[2] | CASE t[1]
      WHEN 'datetime' THEN datetime(x)
      WHEN 'localdatetime' THEN localdatetime(x)
      WHEN 'date' THEN date(x)
      WHEN 'time' THEN time(x)
      WHEN 'localtime' THEN localtime(x)
      ELSE duration(x) END]) END)
RETURN count(r) AS created
