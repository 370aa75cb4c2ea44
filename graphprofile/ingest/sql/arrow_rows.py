"""A query whose database speaks Arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from graphprofile.ingest.arrow import batch_chunks, check_names, empty_chunk
from graphprofile.ingest.sql.address import Address
from graphprofile.ingest.sql.query import Closers, stopped
from graphprofile.ingest.sql.source import SqlSource
from graphprofile.ingest.sql.values import natural, plain_batch, plain_schema
from graphprofile.records import Kind, RawChunk


class ArrowQuery:
    """A query under way; see :class:`graphprofile.ingest.sql.query.Query`.

    Args:
        source: What was opened.
        address: Where.
        reader: A ``RecordBatchReader``, or anything with ``schema`` that gives batches.
        closers: Close it.
        wrong: What the driver raises.
        said: What the database said, of such an error.

    Raises:
        SourceError: A column cannot be taken, or two have one name.
    """

    def __init__(
        self,
        source: SqlSource,
        address: Address,
        reader: Any,
        closers: Closers,
        wrong: tuple[type[Exception], ...],
        said: Callable[[Exception], str],
    ) -> None:
        import pyarrow as pa

        self.source, self.address = source, address
        self.columns: list[str] = list(reader.schema.names)
        check_names(self.columns, source.name)
        self._schema = plain_schema(reader.schema, source.name)
        self._reader, self._closers = reader, closers
        self._wrong, self._said = (pa.ArrowException, OSError, *wrong), said

    def close(self) -> None:
        """Let go of the database."""
        self._closers.close()

    def chunks(self, kind: Kind, chunk_rows: int) -> Iterator[RawChunk]:
        """The rows, once.

        Raises:
            SourceError: The database failed on the way.
        """
        yield from natural(self._plain_chunks(kind, chunk_rows), self._schema)

    def _plain_chunks(self, kind: Kind, chunk_rows: int) -> Iterator[RawChunk]:
        batches = iter(self._reader)
        row = 0
        while True:
            try:
                batch = next(batches, None)
            except self._wrong as error:
                raise stopped(self.address, row, self._said(error)) from error
            if batch is None:
                break
            plain = plain_batch(batch, self._schema)
            yield from batch_chunks(plain, kind, self.source.name, row, None, chunk_rows)
            row += batch.num_rows
        if not row:
            yield empty_chunk(self._schema, kind, self.source.name)
