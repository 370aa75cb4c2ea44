"""Queries to SQLite, through Python's own driver: its columns have no types, each value has its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import quote

import polars as pl

from graphprofile.errors import SourceError
from graphprofile.ingest.arrow import check_names
from graphprofile.ingest.rows import native_column
from graphprofile.ingest.sql.address import Address
from graphprofile.ingest.sql.params import as_text, parameter_names
from graphprofile.ingest.sql.query import no_connection, no_rows, refused, stopped
from graphprofile.ingest.sql.source import SqlSource
from graphprofile.ingest.sql.values import BINARY, LEAVE_OUT
from graphprofile.records import Kind, RawChunk, Rejection

BUSY_SECONDS = 30
FETCH_ROWS = 5_000
CHUNK_BYTES = 64 << 20


class _Undecoded(bytes):
    """Text that is not UTF-8."""


class SqliteQuery:
    """A query under way; see :class:`graphprofile.ingest.sql.query.Query`."""

    def __init__(
        self, source: SqlSource, address: Address, connection: sqlite3.Connection, cursor: Any
    ) -> None:
        self.source, self.address = source, address
        self.columns: list[str] = [column[0] for column in cursor.description]
        self._connection, self._cursor = connection, cursor

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def chunks(self, kind: Kind, chunk_rows: int) -> Iterator[RawChunk]:
        """The rows, once.

        Raises:
            SourceError: The file is damaged, or a column holds nothing but binary values.
        """
        read = 0
        given = False
        while True:
            try:
                rows = self._fetched(chunk_rows)
            except (sqlite3.Error, OverflowError) as error:
                raise stopped(self.address, read, str(error)) from error
            if not rows and given:
                return
            yield self._chunk(rows, kind, read)
            read += len(rows)
            given = True
            if not rows:
                return

    def _fetched(self, most: int) -> list[tuple[Any, ...]]:
        """The next rows, so many or so few that they fit into memory."""
        rows: list[tuple[Any, ...]] = []
        size = 0
        while len(rows) < most and size < CHUNK_BYTES:
            some = self._cursor.fetchmany(min(FETCH_ROWS, most - len(rows)))
            if not some:
                break
            rows += some
            size += len(some) * sum(len(value) for value in some[0] if isinstance(value, (str, bytes)))
        return rows

    def _chunk(self, rows: Sequence[tuple[Any, ...]], kind: Kind, before: int) -> RawChunk:
        name = self.source.name
        columns = list(zip(*rows, strict=True)) if rows else [() for _ in self.columns]
        wrong: dict[int, tuple[str, str]] = {}
        for column, values in zip(self.columns, columns, strict=True):
            kinds = set(map(type, values))
            if not before and kinds & {bytes} and kinds <= {bytes, type(None)}:
                raise SourceError(f"{name}: the column {column} is binary.", LEAVE_OUT.format(column=column))
            if kinds & {bytes, _Undecoded}:
                for row, value in enumerate(values):
                    if isinstance(value, bytes):
                        wrong.setdefault(row, (column, _reason(value)))
        lines: Sequence[int] = range(before + 1, before + len(rows) + 1)
        rejected = []
        if wrong:
            for row, (column, reason) in sorted(wrong.items()):
                shown = dict(zip(self.columns, map(_shown, rows[row]), strict=True))
                rejected.append(Rejection(name, lines[row], column, reason, shown, kind))
            good = [row for row in range(len(rows)) if row not in wrong]
            columns = [tuple(values[row] for row in good) for values in columns]
            lines = [lines[row] for row in good]
        frame = pl.DataFrame(
            [
                native_column(column, list(values))
                for column, values in zip(self.columns, columns, strict=True)
            ]
        )
        return RawChunk(kind, name, frame, lines, rejected, before + len(rows))


def open_sqlite(source: SqlSource, address: Address) -> SqliteQuery:
    """Run a query on a file, opened for reading only.

    Raises:
        SourceError: The file is no such database, or it refuses the query.
    """
    assert address.path is not None
    where = f"file:{quote(str(address.path.absolute()))}?mode=ro"
    try:
        connection = sqlite3.connect(where, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
    except sqlite3.Error as error:
        raise no_connection(address, str(error)) from error
    try:
        connection.text_factory = _decoded
        # Another file could be made even so: an attached one, or the copy of VACUUM INTO.
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        try:
            # Reading the schema finds out whether the file is a database at all.
            for statement in (
                "PRAGMA query_only = 1",
                "PRAGMA trusted_schema = 0",
                "SELECT 1 FROM sqlite_master",
            ):
                with closing(connection.execute(statement)) as answer:
                    answer.fetchone()
        except sqlite3.Error as error:
            raise no_connection(address, str(error)) from error
        values = {name: as_text(source.params[name]) for name in parameter_names(source.sql)}
        try:
            cursor = connection.execute(source.sql, values)
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            raise refused(address, str(error)) from error
        if cursor.description is None:
            raise no_rows(address)
        query = SqliteQuery(source, address, connection, cursor)
        check_names(query.columns, source.name)
        return query
    except BaseException:
        connection.close()
        raise


def _decoded(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _Undecoded(data)


def _reason(value: bytes) -> str:
    return "holds text that is not UTF-8: mend it" if isinstance(value, _Undecoded) else BINARY


def _shown(value: Any) -> Any:
    """A value as the quarantine can hold it."""
    if isinstance(value, _Undecoded):
        return value.decode("utf-8", "backslashreplace")
    return value.hex() if isinstance(value, bytes) else value
