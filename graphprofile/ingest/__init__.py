"""From any source into the graph: read, checked, written in transactions, the bad rows kept."""
