"""The way from an address to a query under way."""

from __future__ import annotations

from graphprofile.ingest.sql.query import Query
from graphprofile.ingest.sql.source import SqlSource


def open_query(source: SqlSource) -> Query:
    """Run the query of a source.

    Raises:
        SourceError: The database cannot be reached, or refuses the query.
        UsageError: A package is missing.
    """
    address = source.address()
    if address.scheme == "sqlite":
        from graphprofile.ingest.sql.sqlite import open_sqlite

        return open_sqlite(source, address)
    if address.scheme == "postgresql":
        from graphprofile.ingest.sql.postgres import open_postgres

        return open_postgres(source, address)
    if address.scheme == "adbc":
        from graphprofile.ingest.sql.adbc import open_adbc

        return open_adbc(source, address)
    from graphprofile.ingest.sql.duck import open_duckdb

    return open_duckdb(source, address)
