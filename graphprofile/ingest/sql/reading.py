"""A query as chunks of rows."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from graphprofile.ingest.sql.query import Query
from graphprofile.ingest.sql.source import SqlSource
from graphprofile.ingest.together import keep_together
from graphprofile.records import Kind, RawChunk


class OpenSource:
    """A source whose query runs already: its columns are known, its rows come once."""

    def __init__(self, source: SqlSource) -> None:
        self.query: Query = source.open()
        self.name, self.kind = source.name, source.kind
        self.columns = self.query.columns

    def close(self) -> None:
        """Let go of the database."""
        self.query.close()


def sql_chunks(
    source: SqlSource | OpenSource, kind: Kind, chunk_rows: int
) -> Generator[RawChunk, None, None]:
    """Rows of a query; their ``lines`` count its rows from 1.

    Raises:
        SourceError: The database cannot be reached, refuses the query or fails on the way.
    """
    with closing(source if isinstance(source, OpenSource) else OpenSource(source)) as opened:
        chunks, of = opened.query.chunks(kind, chunk_rows), opened.query.source
        yield from chunks if of.together is None else keep_together(chunks, of.together, of.fill)
