"""``SqlSource``: the rows of one query, as something to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from graphprofile.errors import UsageError
from graphprofile.ingest.sql.address import Address, parse_address
from graphprofile.ingest.sql.params import check_parameters
from graphprofile.records import Kind

if TYPE_CHECKING:
    from graphprofile.ingest.sql.query import Query


@dataclass(frozen=True)
class SqlSource:
    """The rows of one SQL query: what :meth:`graphprofile.GraphProfile.load` takes beside files and frames.

    Rows are read while the database makes them, never collected, and the database is only read. Reading the source
    again runs the query again.

    Args:
        uri: ``sqlite:///shop.db``, ``duckdb:///shop.duckdb``, ``duckdb:`` (in memory, over local files),
            ``parquet:///folder`` or ``csv:///folder`` (their rows are the table ``files``),
            ``postgresql://user@host/database``; with ``driver`` what that driver takes.
        sql: One query. Parameters are written ``$name``.
        params: Their values.
        kind: What its rows describe, as for ``load``; None takes what ``load`` is told.
        password: Of a server; without it ``PGPASSWORD`` and ``~/.pgpass`` count, as they do for ``psql``.
        driver: An ADBC driver: ``snowflake``, ``flightsql``, or the path of its library.
        name: What batches and the quarantine call the source; the address without user and password by default.
        together: Column whose equal values make a group, as loaders say it of files.
        fill: Columns whose blank cells take the value of their group's first row.
    """

    uri: str = field(repr=False)
    sql: str
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    kind: Kind | None = None
    password: str | None = field(default=None, repr=False)
    driver: str | None = None
    name: str = ""
    together: str | None = field(default=None, repr=False)
    fill: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not self.sql.strip().strip(";").strip():
            raise UsageError("The query is empty.", "Say what to load: SELECT ... FROM ...")
        check_parameters(self.sql, self.params)
        if not self.name:
            object.__setattr__(self, "name", self.address().name)

    def address(self) -> Address:
        """Where the query is put to.

        Raises:
            UsageError: Nobody knows what to do with such an address.
            SourceError: There is no such file or folder.
        """
        return parse_address(self.uri, driver=self.driver, password=self.password)

    def table(self, kind: Kind | None, together: str | None = None, fill: tuple[str, ...] = ()) -> SqlSource:
        """The same rows as one table of those that a loader makes of them; see :class:`SourceFile`."""
        return replace(self, kind=kind, together=together, fill=fill)

    def open(self) -> Query:
        """Run the query; its rows are then read, and it must be closed.

        Raises:
            SourceError: The database cannot be reached, or refuses the query.
            UsageError: A package is missing.
        """
        from graphprofile.ingest.sql.opening import open_query

        return open_query(self)
