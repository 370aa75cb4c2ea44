// Put the figures of a network analysis on some items.
// Parameters:
//   rows (list of [id, community, pagerank, betweenness]): one per item; community is null but for users
//   now (int, epoch ms): when they were computed
//   version (text): of the analysis
// Columns: none
UNWIND $rows AS r
MATCH (n:Item {id: r[0]})
SET n.network_community = r[1], n.network_pagerank = r[2], n.network_betweenness = r[3], n.network_at = $now,
    n.network_version = $version
