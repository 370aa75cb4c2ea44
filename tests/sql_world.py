"""The same events in every database that can be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from postgres_server import PostgresServer

from graphprofile import SqlSource

Row = tuple[int, str, str, str, str, float | None]

COLUMNS = ("id", "customer", "what", "sku", "said_at", "price")
ROWS: list[Row] = [
    (1, "ann", "purchased", "soap", "2026-01-01 10:00:00", 4.5),
    (2, "bob", "viewed", "soap", "2026-01-01 11:00:00", None),
    (3, "bob", "viewed", "towel", "soon", None),
    (4, "cem", "purchased", "towel", "2026-01-03 12:30:00", 12.25),
    (5, "ann", "returned", "soap", "2026-01-04 09:00:00", 4.5),
]
"""The third has a time that is none."""

QUERY = (
    "SELECT id AS event_id, customer AS user_id, what AS event_type, sku AS object_id, said_at AS timestamp, "
    "price AS value FROM {table} ORDER BY id"
)


@dataclass
class Database:
    """One that holds the rows.

    Attributes:
        uri: Its address.
        table: What holds the rows.
        name: What people see of the address.
        since: A condition on the id with the parameter ``$since``.
        driver: Of ADBC, where one must be named.
    """

    uri: str
    table: str
    name: str
    since: str = "id > $since"
    driver: str | None = None

    @property
    def query(self) -> str:
        """All events, by their id."""
        return QUERY.format(table=self.table)

    def source(self, sql: str | None = None, **options: Any) -> SqlSource:
        """A query to it; all events by default."""
        return SqlSource(self.uri, sql or self.query, driver=self.driver, **options)


def make_sqlite(path: Path, rows: Sequence[Row] = tuple(ROWS)) -> Database:
    """A file of SQLite."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE events (id INTEGER PRIMARY KEY, customer, what, sku, said_at TEXT, price REAL)"
        )
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
    return Database(f"sqlite:///{path}", "events", f"sqlite:///{path}")


def _typed(connection: Any, rows: Sequence[Row]) -> None:
    connection.execute(
        "CREATE TABLE events (id BIGINT, customer TEXT, what TEXT, sku TEXT, said_at TEXT, price DECIMAL(10, 2))"
    )
    connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", list(rows))


def make_duckdb(path: Path) -> Database:
    """A file of DuckDB."""
    with closing(duckdb.connect(str(path))) as connection:
        _typed(connection, ROWS)
    return Database(f"duckdb:///{path}", "events", f"duckdb:///{path}", "id > CAST($since AS bigint)")


def make_folder(folder: Path, ending: str) -> Database:
    """A folder with two files, one of them a folder further down."""
    (folder / "later").mkdir(parents=True)
    with closing(duckdb.connect()) as connection:
        _typed(connection, ROWS)
        for name, which in (("first", "id <= 3"), ("later/second", "id > 3")):
            connection.execute(f"COPY (SELECT * FROM events WHERE {which}) TO '{folder / name}.{ending}'")
    (folder / "_SUCCESS").touch()
    return Database(
        f"{ending}:///{folder}",
        "files",
        f"{ending}:///{folder}",
        "CAST(id AS bigint) > CAST($since AS bigint)",
    )


def make_postgres(server: PostgresServer) -> Database:
    """A table on a server."""
    values = ", ".join(
        f"({i}, '{who}', '{what}', '{sku}', '{at}', {'NULL' if price is None else price})"
        for i, who, what, sku, at, price in ROWS
    )
    server.run(
        "DROP TABLE IF EXISTS events",
        "CREATE TABLE events (id bigint PRIMARY KEY, customer text, what text, sku text, said_at text, "
        "price numeric(10, 2))",
        f"INSERT INTO events VALUES {values}",
    )
    return Database(server.uri, "events", server.name, "id > CAST($since AS bigint)")


def make_adbc(path: Path) -> Database:
    """A file of SQLite, through its ADBC driver."""
    make_sqlite(path)
    return Database(
        f"file:{path}?mode=ro", "events", "sqlite", "id > CAST($since AS integer)", driver="sqlite"
    )


NAMES = ("sqlite", "duckdb", "parquet", "csv", "postgresql", "adbc")


def make(name: str, folder: Path, server: PostgresServer | None) -> Database:
    """One by its name."""
    if name in ("parquet", "csv"):
        return make_folder(folder / "files", name)
    if name == "postgresql":
        assert server is not None
        return make_postgres(server)
    path = folder / "shop.db"
    return {"sqlite": make_sqlite, "duckdb": make_duckdb, "adbc": make_adbc}[name](path)
