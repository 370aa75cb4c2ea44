// Count the totals of tags from the interests; the tags are locked in this transaction.
MATCH (t:Tag)<-[r:INTERESTED_IN]-(:User)
WITH t, sum(r.events) AS events, sum(CASE WHEN r.direct THEN r.events ELSE 0 END) AS direct
SET t.interest_events = events, t.interest_direct = direct
