// Which of these users have properties that meet conditions.
// Parameters:
//   ids (list of text): of the users
//   conditions (list of {property, operator, value, numeric}): each must hold; a user without the property fails; operator has | has not for lists
// Columns:
//   id (text): of the user
UNWIND $ids AS id
MATCH (u:User {id: id})
WHERE all(c IN $conditions WHERE any(v IN [CASE WHEN c.numeric THEN toFloatOrNull(u[c.property]) ELSE u[c.property] END] WHERE
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
RETURN id
