// All contents that meet conditions on their properties.
// Parameters:
//   conditions (list of {property, operator, value, numeric}): each must hold; a node without the property fails; operator has | has not for lists
//   available (text): property that is false on what cannot be had, or null where it does not matter
// Columns:
//   id (text): of the node
MATCH (o:Content)
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
RETURN o.id AS id
