"""Queries through an ADBC driver: any database for which there is one."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from graphprofile.ingest.sql.address import Address
from graphprofile.ingest.sql.arrow_rows import ArrowQuery
from graphprofile.ingest.sql.params import as_text, marked
from graphprofile.ingest.sql.query import Closers, missing_package, no_connection, no_rows, refused
from graphprofile.ingest.sql.source import SqlSource

READ_ONLY = "adbc.connection.readonly"


def open_adbc(source: SqlSource, address: Address) -> ArrowQuery:
    """Run a query through the driver that the source names.

    The connection is made read-only where the driver can do that, and what it did is never committed.

    Raises:
        SourceError: The driver cannot connect, or the database refuses the query.
        UsageError: The package is missing.
    """
    try:
        from adbc_driver_manager import dbapi
    except ImportError as error:
        raise missing_package("through an ADBC driver", "adbc-driver-manager") from error
    assert source.driver is not None
    given = {"uri": address.uri} if address.uri else {}
    if source.password is not None:
        given["password"] = source.password
    closers = Closers()
    try:
        with warnings.catch_warnings():
            # A database without transactions says that it has none, as a warning.
            warnings.simplefilter("ignore")
            connection = dbapi.connect(_library(source.driver), db_kwargs=given)
    except (dbapi.Error, OSError) as error:
        raise no_connection(address, said(error)) from None
    closers.add(connection.close)
    closers.add(connection.rollback)
    try:
        try:
            connection.adbc_connection.set_options(**{READ_ONLY: "true"})
        except dbapi.Error:
            # Most drivers do not know the option; what they did is not committed.
            pass
        sql, names = marked(source.sql)
        values = [as_text(source.params[name]) for name in names]
        try:
            reader = run(connection, sql, values, closers)
        except (dbapi.Error, OSError) as error:
            raise refused(address, said(error)) from error
        if not reader.schema.names:
            raise no_rows(address)
        return ArrowQuery(source, address, reader, closers, (dbapi.Error,), said)
    except BaseException:
        closers.close()
        raise


def run(
    connection: Any, sql: str, values: Sequence[Any], closers: Closers, options: dict[str, str] | None = None
) -> Any:
    """The rows of a query as a ``RecordBatchReader``."""
    cursor = connection.cursor(adbc_stmt_kwargs=options)
    closers.add(cursor.close)
    cursor.execute(sql, tuple(values) or None)
    return cursor.fetch_record_batch()


def said(error: Exception) -> str:
    """What the database said, without what the driver adds to it, which includes the whole query."""
    text = str(error).partition("\n\nQuery was: ")[0].partition(". SQLSTATE: ")[0].strip()
    head, colon, rest = text.partition(": ")
    return rest if colon and head.isupper() else text


def _library(driver: str) -> str:
    """A driver's library, where a Python package brings it; otherwise the manager looks for it."""
    for module in (f"adbc_driver_{driver}", driver):
        if module.isidentifier():
            try:
                return str(import_module(module)._driver_path())
            except (ImportError, AttributeError):
                continue
    return driver
