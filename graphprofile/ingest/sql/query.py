"""A query under way: its columns, its rows chunk by chunk, and what is said when it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from graphprofile.errors import SourceError, UsageError
from graphprofile.ingest.sql.address import Address
from graphprofile.records import Kind, RawChunk

if TYPE_CHECKING:
    from graphprofile.ingest.sql.source import SqlSource

AGAIN = "What was read before is loaded. Run the same again: rows that are there already are duplicates."


class Query(Protocol):
    """A query under way.

    Attributes:
        source: What was opened.
        columns: Names of its columns.
    """

    source: SqlSource
    columns: list[str]

    def chunks(self, kind: Kind, chunk_rows: int) -> Iterator[RawChunk]:
        """Its rows, once.

        Raises:
            SourceError: The database failed on the way.
        """
        ...

    def close(self) -> None:
        """Let go of the database. May be repeated."""
        ...


class Closers:
    """What is to be closed, the latest first; what fails in it is of no interest any more."""

    def __init__(self) -> None:
        self._closers: list[Callable[[], Any]] = []

    def add(self, close: Callable[[], Any]) -> None:
        """One more."""
        self._closers.append(close)

    def close(self) -> None:
        """Close all."""
        while self._closers:
            with suppress(Exception):
                self._closers.pop()()


def missing_package(what: str, package: str) -> UsageError:
    """A driver that is not installed."""
    return UsageError(f"Reading {what} needs {package}.", "pip install 'graphprofile[sql]'")


def no_connection(address: Address, said: str) -> SourceError:
    """Nobody answers, or they do not let us in."""
    return SourceError(
        f"{address.name}: cannot connect: {_sentence(address, said)}",
        "Check the address, the user and the password (PGPASSWORD, ~/.pgpass or --from-password-file)."
        if address.path is None
        else "Check that the file is such a database, whole, and that it may be read.",
    )


def refused(address: Address, said: str) -> SourceError:
    """The database refuses the query."""
    return SourceError(
        f"{address.name}: the database refuses the query: {_sentence(address, said)}",
        "Mend the query; it must be one SELECT.",
    )


def stopped(address: Address, row: int, said: str) -> SourceError:
    """The database failed while rows were read."""
    where = f"after {row:,} rows" if row else "before its first row"
    return SourceError(
        f"{address.name}: the query broke off {where}: {_sentence(address, said)}",
        AGAIN if row else "Mend the query, or what it reads.",
    )


def no_rows(address: Address) -> SourceError:
    """A statement that is no query."""
    return SourceError(
        f"{address.name}: the statement gives no rows.", "Give one SELECT; nothing else is run here."
    )


def _sentence(address: Address, said: str) -> str:
    text = address.without_secrets(" ".join(said.split()) if "^" not in said else said.strip())
    return text if text.endswith((".", "!", "?", "^")) else f"{text}."
