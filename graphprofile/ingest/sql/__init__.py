"""The rows of an SQL query as a source."""
