// Ids of the users whose properties meet conditions, in their order.
// Parameters:
//   after (text): ids after this one; an empty text begins at the first
//   conditions (list of {property, operator, value, numeric}): each must hold; a user without the property fails; operator has | has not for lists
// Columns:
//   id (text): of the user
MATCH (u:User)
WHERE u.id > $after AND all(c IN $conditions WHERE any(v IN [CASE WHEN c.numeric THEN toFloatOrNull(u[c.property]) ELSE u[c.property] END] WHERE
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
RETURN u.id AS id
ORDER BY id
