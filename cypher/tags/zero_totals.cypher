// Lock all tags and set their totals to zero, before they are counted anew.
MATCH (t:Tag)
SET t.interest_events = 0, t.interest_direct = 0
