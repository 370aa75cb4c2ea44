// Take the figures of other network analyses off some items.
// Parameters:
//   version (text): of the analysis that stays
//   limit (int): items at most
// Columns:
//   cleared (int): how many had some
MATCH (n:Item)
WHERE n.network_version <> $version
WITH n
LIMIT $limit
SET n.network_community = null, n.network_pagerank = null, n.network_betweenness = null, n.network_at = null,
    n.network_version = null
RETURN count(n) AS cleared
