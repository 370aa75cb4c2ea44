// Create nodes of the given labels.
// Parameters:
//   rows (list of [number, properties, times]): times as [name, kind, texts, whether it is a list]
// Columns:
//   number (int): as given
//   node (text): engine's own id
UNWIND $rows AS row
CREATE (n:QUOTED_NAMES)
SET n = row[1]
FOREACH (t IN row[2] | SET n[t[0]] = CASE WHEN t[3] THEN [x IN t[2] | CASE t[1]
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
RETURN row[0] AS number, elementId(n) AS node
