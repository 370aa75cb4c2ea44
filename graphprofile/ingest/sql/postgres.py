"""Queries to PostgreSQL, as one read-only snapshot, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphprofile.ingest.sql.adbc import run, said
from graphprofile.ingest.sql.address import Address
from graphprofile.ingest.sql.arrow_rows import ArrowQuery
from graphprofile.ingest.sql.params import as_text, numbered, without_end
from graphprofile.ingest.sql.query import Closers, missing_package, no_connection, no_rows, refused
from graphprofile.ingest.sql.source import SqlSource

FETCH_ROWS = 60_000
_BEGIN = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_DECLARE = "DECLARE graphprofile NO SCROLL CURSOR FOR "
_FETCH = f"FETCH FORWARD {FETCH_ROWS} FROM graphprofile"


def open_postgres(source: SqlSource, address: Address) -> ArrowQuery:
    """Run a query in a read-only transaction that sees one moment of the database.

    Without parameters its rows come by ``COPY``; with parameters, which ``COPY`` does not take, from a cursor on the
    server.

    Raises:
        SourceError: The server cannot be reached, or refuses the query.
        UsageError: The package is missing.
    """
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise missing_package("postgresql addresses", "adbc-driver-postgresql") from error
    closers = Closers()
    try:
        connection = dbapi.connect(address.uri, autocommit=True)
    except dbapi.Error as error:
        # The error before it may quote the address.
        raise no_connection(address, _connect_said(error)) from None
    closers.add(connection.close)
    try:
        begin = 0
        try:
            _do(connection, _BEGIN)
            closers.add(lambda: _do(connection, "ROLLBACK"))
            sql = without_end(source.sql)
            if source.params:
                sql, names = numbered(sql)
                # The cursor is read to its end.
                _do(connection, "SET LOCAL cursor_tuple_fraction = 1")
                begin = len(_DECLARE)
                _do(connection, _DECLARE + sql, [as_text(source.params[name]) for name in names])
                reader: Any = _Cursor(connection)
            else:
                # A comment at the end must not swallow what is put behind it.
                reader = run(connection, f"{sql}\n", (), closers)
        except (dbapi.Error, OSError) as error:
            begin = len("COPY (") if "could not begin COPY" in str(error) else begin
            raise refused(address, _said(error, source.sql, begin)) from error
        if not reader.schema.names:
            raise no_rows(address)
        return ArrowQuery(source, address, reader, closers, (dbapi.Error,), said)
    except BaseException:
        closers.close()
        raise


class _Cursor:
    """The batches of the cursor on the server."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._first = self._fetch()
        self.schema = self._first.schema

    def _fetch(self) -> Any:
        closers = Closers()
        try:
            options = {"adbc.postgresql.use_copy": "false"}
            return run(self._connection, _FETCH, (), closers, options).read_all()
        finally:
            closers.close()

    def __iter__(self) -> Iterator[Any]:
        table = self._first
        self._first = None
        while table.num_rows:
            yield from table.to_batches()
            table = self._fetch()


def _do(connection: Any, sql: str, values: Any = ()) -> None:
    closers = Closers()
    try:
        run(connection, sql, values, closers)
    finally:
        closers.close()


def _connect_said(error: Exception) -> str:
    text = said(error)
    for prefix in ("[libpq] ", "Failed to connect: "):
        text = text.removeprefix(prefix)
    return text


def _said(error: Exception, sql: str, begin: int) -> str:
    """The server's own message and hint, with the place in the query as it was written."""
    details = {
        _key(key): value.decode("utf-8", "replace") for key, value in getattr(error, "details", None) or ()
    }
    primary = details.get("MESSAGE_PRIMARY")
    if primary is None:
        return said(error)
    parts = [primary]
    position = details.get("STATEMENT_POSITION", "")
    if position.isdigit():
        place = _place(sql, int(position), begin)
        parts[0] += f" ({place})" if place else ""
    parts += [details[key] for key in ("MESSAGE_DETAIL", "MESSAGE_HINT") if key in details]
    return ". ".join(part.rstrip(".") for part in parts)


def _key(key: Any) -> str:
    text = key.decode() if isinstance(key, bytes) else str(key)
    return text.removeprefix("PG_DIAG_")


def _place(sql: str, position: int, begin: int) -> str | None:
    """Line and column of a character of the query, counted from 1."""
    at = position - begin - 1
    if not 0 <= at <= len(sql):
        return None
    before = sql[:at]
    return f"line {before.count(chr(10)) + 1}, column {at - before.rfind(chr(10))}"
