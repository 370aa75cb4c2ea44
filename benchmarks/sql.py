"""Rows of a query read and checked, beside the plain fetch of the same query, in the same run.

    python benchmarks/sql.py --rows 1000000 [--rounds 3] [--from postgresql://user@host/db] [--json]

The databases are made for it: SQLite, DuckDB and a folder of Parquet files; a PostgreSQL is taken where an address is
given, and makes its rows itself. Plain is what the driver gives by its own means: a ``RecordBatchReader`` run to its
end, for SQLite rows of Python's driver. The figures are medians of rounds that take turns.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
from graphprofile.loaders.generic import GenericLoader

from graphprofile import SqlSource
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.read import read_checked
from graphprofile.vocabulary import Vocabulary

MADE = (
    "SELECT i AS event_id, 'u' || (i % 5003) AS user_id, 'viewed' AS event_type, 'p' || (i % 997) AS object_id, "
    "TIMESTAMP '2025-01-01' + {seconds} AS timestamp, CAST(i % 100 AS decimal(10, 2)) AS value FROM {rows}"
)
DUCKDB = MADE.format(seconds="to_seconds(i)", rows="range({many}) AS r(i)")
POSTGRES = MADE.format(seconds="i * INTERVAL '1 second'", rows="generate_series(1, {many}) AS r(i)")
BATCH_ROWS = 60_000

Sources = dict[str, tuple[SqlSource, Callable[[], int]]]


def sources(folder: Path, rows: int, server: str | None) -> Sources:
    """Each database's query, and the plain fetch of it."""
    lite, duck, parquet = folder / "events.db", folder / "events.duckdb", folder / "files"
    parquet.mkdir()
    with closing(duckdb.connect(str(duck))) as connection:
        connection.execute(f"CREATE TABLE events AS {DUCKDB.format(many=rows)}")
        connection.execute(f"COPY events TO '{parquet / 'part-0.parquet'}'")
        columns = "event_id, user_id, event_type, object_id, CAST(timestamp AS text), CAST(value AS double)"
        with closing(sqlite3.connect(lite)) as other, other:
            other.execute("CREATE TABLE events (event_id, user_id, event_type, object_id, timestamp, value)")
            found = connection.execute(f"SELECT {columns} FROM events")
            while some := found.fetchmany(50_000):
                other.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", some)

    def plain_lite() -> int:
        with closing(sqlite3.connect(lite)) as connection:
            found = connection.execute("SELECT * FROM events")
            return sum(len(some) for some in iter(lambda: found.fetchmany(BATCH_ROWS), []))

    def plain_duck(path: str, sql: str) -> Callable[[], int]:
        def fetch() -> int:
            with closing(duckdb.connect(path, read_only=path != ":memory:")) as connection:
                return sum(batch.num_rows for batch in connection.sql(sql).to_arrow_reader(BATCH_ROWS))

        return fetch

    made: Sources = {
        "sqlite": (SqlSource(f"sqlite:///{lite}", "SELECT * FROM events"), plain_lite),
        "duckdb": (
            SqlSource(f"duckdb:///{duck}", "SELECT * FROM events"),
            plain_duck(str(duck), "SELECT * FROM events"),
        ),
        "parquet": (
            SqlSource(f"parquet:///{parquet}", "SELECT * FROM files"),
            plain_duck(":memory:", f"SELECT * FROM read_parquet('{parquet}/*.parquet')"),
        ),
    }
    if server is not None:
        for name, condition, params in (("postgresql", "", {}), ("… by cursor", " WHERE i > $n", {"n": 0})):
            sql = POSTGRES.format(many=rows)
            made[name] = SqlSource(server, sql + condition, params), plain_postgres(server, sql)
    return made


def plain_postgres(server: str, sql: str) -> Callable[[], int]:
    """What ADBC gives of a query."""
    from adbc_driver_postgresql import dbapi

    def fetch() -> int:
        with dbapi.connect(server) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return sum(batch.num_rows for batch in cursor.fetch_record_batch())

    return fetch


def read_and_check(source: SqlSource) -> int:
    """Good rows of a source."""
    chunks = read_checked(source, GenericLoader(), "events", Mapping(), Vocabulary())
    return sum(chunk.read - len(chunk.rejected) for chunk in chunks)


def measure(rows: int, rounds: int, server: str | None) -> list[dict[str, Any]]:
    """All figures of one run."""
    taken: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        found = sources(Path(folder), rows, server)
        for _ in range(rounds):
            for name, (source, plain) in found.items():
                for way, work in (("ours", lambda source=source: read_and_check(source)), ("plain", plain)):
                    started = time.perf_counter()
                    assert work() == rows, (name, way)
                    taken.setdefault((name, way), []).append(time.perf_counter() - started)
    return [
        {
            "database": name,
            "read_and_checked": round(rows / statistics.median(taken[name, "ours"])),
            "plain_fetch": round(rows / statistics.median(taken[name, "plain"])),
        }
        for name in found
    ]


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--from", dest="server", metavar="URI", help="a PostgreSQL; it is only read")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    arguments = parser.parse_args()
    results = measure(arguments.rows, arguments.rounds, arguments.server)
    if arguments.json:
        print(json.dumps({"rows": arguments.rows, "rounds": arguments.rounds, "results": results}, indent=1))
        return 0
    print(f"{arguments.rows:,} rows, median of {arguments.rounds} rounds, rows/s")
    for row in results:
        print(
            f"  {row['database']:<12} read and checked {row['read_and_checked']:>10,}   "
            f"plain fetch {row['plain_fetch']:>12,}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
