// Lists the indexes of the graph, those of constraints among them.
// Parameters: none
// Columns:
// label (str): label or relationship type
// properties (list of str): what is indexed
// unique (bool): whether a uniqueness constraint holds there
// state (str): ONLINE when it can be used
SHOW INDEXES YIELD labelsOrTypes, properties, owningConstraint, state
WHERE size(labelsOrTypes) = 1
RETURN labelsOrTypes[0] AS label, properties, owningConstraint IS NOT NULL AS unique, state
