// Which of these items meet conditions.
// Parameters:
//   ids (list of text): of the items
//   conditions (list of {property, operator, value, numeric}): each must hold; a node without the property fails; operator has | has not for lists
//   available (text): property that is false on what cannot be had, or null where it does not matter
//   tags (list of lists of text, kind:name): of each list one tag must be there
// Columns:
//   id (text): of the node
UNWIND $ids AS id
MATCH (o:Item {id: id})
WHERE all(c IN $conditions WHERE any(v IN [CASE WHEN c.numeric THEN toFloatOrNull(o[c.property]) ELSE o[c.property] END] WHERE
    CASE c.operator
      WHEN '=' THEN v = c.value
      WHEN '!=' THEN v <> c.value
      WHEN '<' THEN v < c.value
      WHEN '<=' THEN v <= c.value
      WHEN '>' THEN v > c.value
      WHEN '>=' THEN v >= c.value
      WHEN 'has' THEN c.value IN ([] + v)
      ELSE NOT c.value IN ([] + v)
    END))
  AND ($available IS NULL OR NOT coalesce(toLower(toStringOrNull(o[$available])), '') IN ['false', 'no', '0', '0.0'])
  AND all(group IN $tags WHERE any(x IN [(o)-[:HAS_TAG]->(t:Tag) | t.kind + ':' + t.name] WHERE x IN group))
RETURN o.id AS id
