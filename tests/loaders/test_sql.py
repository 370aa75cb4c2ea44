"""Rows of SQL queries: the same from every database, of every type, streamed, and never more than read."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from graphprofile.loaders.generic import GenericLoader
from postgres_server import PostgresServer
from pyarrow import parquet
from sql_world import NAMES, ROWS, Database, make, make_sqlite

from graphprofile import SqlSource
from graphprofile.errors import GraphProfileError, SourceError, UsageError
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.read import read_checked, read_source
from graphprofile.ingest.sql.address import parse_address
from graphprofile.ingest.sql.params import marked, numbered, parameter_names, without_end
from graphprofile.records import EventChunk, Rejection
from graphprofile.vocabulary import Vocabulary


@pytest.fixture(params=NAMES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Each database with the same rows."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    return make(request.param, tmp_path, server)


def checked(source: Any, kind: Any = None, *mapping: str, **options: Any) -> list[Any]:
    return list(read_checked(source, GenericLoader(), kind, Mapping.parse(mapping), Vocabulary(), **options))


def events(source: Any) -> pl.DataFrame:
    return pl.concat([chunk.frame for chunk in checked(source) if isinstance(chunk, EventChunk)])


def refused(source: Any, kind: Any = None) -> list[Rejection]:
    return [one for chunk in checked(source, kind) for one in chunk.rejected]


def values(source: Any) -> list[dict[str, Any]]:
    return [row for chunk in read_source(source) for row in chunk.frame.rows(named=True)]


# --- Every database ---------------------------------------------------------------------------------------


def test_every_database_gives_the_same_events(database: Database) -> None:
    expected = events(
        [
            {
                "event_id": i,
                "user_id": who,
                "event_type": what,
                "object_id": sku,
                "timestamp": at,
                "value": price,
            }
            for i, who, what, sku, at, price in ROWS
        ]
    )
    found = events(database.source())
    # Down to the hash of the content: the same rows from another database are duplicates.
    assert found.drop("line").equals(expected.drop("line"))
    assert found["line"].to_list() == [1, 2, 4, 5]


def test_a_wrong_row_costs_itself_alone_and_is_kept_as_it_was(database: Database) -> None:
    (one,) = refused(database.source())
    assert (one.source, one.line, one.field) == (database.name, 3, "timestamp")
    assert "'soon' is no time" in one.reason
    text = database.uri.startswith("csv")
    assert one.row == {
        "event_id": "3" if text else 3,
        "user_id": "bob",
        "event_type": "viewed",
        "object_id": "towel",
        "timestamp": "soon",
        "value": None,
    }


def test_the_size_of_chunks_makes_no_difference(database: Database) -> None:
    whole = events(database.source())
    for rows in (1, 2, 3):
        parts = [
            c for c in checked(database.source(), "events", check_rows=rows) if isinstance(c, EventChunk)
        ]
        assert len(parts) > 1
        assert pl.concat([part.frame for part in parts]).equals(whole)


def test_parameters_are_bound_and_never_text(database: Database) -> None:
    base = database.query.replace(" ORDER BY", f" WHERE {database.since} ORDER BY")
    assert [row["event_id"] for row in values(database.source(base, params={"since": "3"}))] in (
        [4, 5],
        ["4", "5"],
    )
    evil = "x' OR '1'='1"
    by_name = database.query.replace(" ORDER BY", " WHERE customer = CAST($who AS text) ORDER BY")
    assert values(database.source(by_name, params={"who": evil})) == []
    assert [row["user_id"] for row in values(database.source(by_name, params={"who": "cem"}))] == ["cem"]
    twice = database.query.replace(
        " ORDER BY", " WHERE customer = CAST($who AS text) OR sku = CAST($who AS text) ORDER BY"
    )
    assert len(values(database.source(twice, params={"who": "towel"}))) == 2


def test_a_result_without_rows_has_its_columns(database: Database) -> None:
    base = database.query.replace(" ORDER BY", " WHERE 1 = 0 ORDER BY")
    (chunk,) = read_source(database.source(base))
    assert chunk.frame.height == 0
    assert chunk.frame.columns == ["event_id", "user_id", "event_type", "object_id", "timestamp", "value"]
    assert sum(chunk.read for chunk in checked(database.source(base))) == 0


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", "SELEC"),
        ("SELECT * FROM nowhere", "nowhere"),
        ("SELECT id,\n  nothing FROM {table}", "nothing"),
        ("SELECT id AS a, id AS a FROM {table}", "two columns are named"),
    ],
)
def test_a_wrong_query_is_refused_in_the_databases_own_words(database: Database, sql: str, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        values(database.source(sql.format(table=database.table)))
    assert said.lower() in caught.value.message.lower()
    assert caught.value.message.startswith(database.name)
    assert caught.value.hint


@pytest.mark.parametrize("name", [name for name in NAMES if name != "adbc"])
def test_several_statements_are_none(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    database = make(name, tmp_path, request.getfixturevalue("postgres") if name == "postgresql" else None)
    with pytest.raises(SourceError):
        values(database.source(f"SELECT 1 AS a; DELETE FROM {database.table}"))
    assert len(values(database.source())) == len(ROWS)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE mine (a int)",
        "DELETE FROM {table}",
        "INSERT INTO {table} (id) VALUES (9)",
        "INSERT INTO {table} (id) VALUES (9) RETURNING id",
        "UPDATE {table} SET customer = 'eve'",
        "DROP TABLE {table}",
    ],
)
def test_nothing_is_written(database: Database, sql: str) -> None:
    before = values(database.source())
    with pytest.raises(SourceError):
        values(database.source(sql.format(table=database.table)))
    assert values(database.source()) == before


def test_the_kind_is_told_by_the_columns_or_said(database: Database) -> None:
    unclear = f"SELECT id, customer FROM {database.table}"
    with pytest.raises(SourceError, match="cannot tell what its rows are"):
        checked(database.source(unclear))
    assert sum(len(c.rows) for c in checked(database.source(unclear), "users", "user_id=customer")) == 5
    said = checked(database.source(unclear, kind="users"), None, "user_id=customer")
    assert sum(len(chunk.rows) for chunk in said) == 5


# --- Addresses and parameters -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://ann:s3cret@db.example:5432/shop?sslmode=require",
        "postgres://ann:s3cret@db.example:5432/shop",
        "postgresql+psycopg2://ann:s3cret@db.example:5432/shop",
        "postgresql://db.example:5432/shop?user=ann&password=s3cret",
    ],
)
def test_the_name_of_a_server_has_no_user_and_no_secret(uri: str) -> None:
    source = SqlSource(uri, "SELECT 1")
    assert source.name == "postgresql://db.example:5432/shop"
    assert "s3cret" not in repr(source) + repr(source.address())
    assert source.address().without_secrets("wrong: s3cret!") == "wrong: ***!"
    assert "s3cret" in source.address().uri


def test_an_odd_password_goes_whole_to_the_server_or_nowhere() -> None:
    found = parse_address("postgresql://ann:p%40s%2Fs@db/shop")
    assert "ann:p%40s%2Fs@db/shop" in found.uri
    assert found.without_secrets("p@s/s p%40s%2Fs") == "*** ***"
    # An @ in a password is understood, other marks end the part of the address that holds it.
    assert "ann:p%40s@db/shop" in parse_address("postgresql://ann:p@s@db/shop").uri
    for uri in (
        "postgresql://ann:p/s@db/shop",
        "postgresql://ann:p?s@db/shop",
        "postgresql://ann:p#s@db/shop",
    ):
        with pytest.raises(UsageError) as caught:
            parse_address(uri)
        assert "p" + uri[17] + "s" not in caught.value.message + str(caught.value.hint)


def test_a_path_begins_here_or_at_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    make_sqlite(tmp_path / "here" / "shop.db")
    monkeypatch.chdir(tmp_path)
    absolute = tmp_path / "here" / "shop.db"
    for uri, path in (
        ("sqlite:///here/shop.db", Path("here/shop.db")),
        ("sqlite:here/shop.db", Path("here/shop.db")),
        (f"sqlite:///{absolute}", absolute),
        (f"sqlite://{absolute}", absolute),
        (f"sqlite:{absolute}", absolute),
    ):
        found = parse_address(uri)
        assert (found.path, found.name) == (path, f"sqlite:///{path}")
    assert parse_address("duckdb:").path is None
    assert parse_address("duckdb:///:memory:").path is None


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("shop.db", "is no address"),
        ("mysql://host/shop", "Nobody here reads mysql"),
        ("sqlite://host/shop.db", "names a host"),
        ("sqlite:///nowhere.db", "there is no such file"),
        ("duckdb:///nowhere.db", "there is no such file"),
        ("parquet:///nowhere", "there is no such folder or file"),
        ("sqlite:///.", "is a folder"),
    ],
)
def test_an_address_that_leads_nowhere_is_named(
    uri: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GraphProfileError, match=said) as caught:
        SqlSource(uri, "SELECT 1")
    assert caught.value.hint


def test_parameters_are_found_outside_of_quotes_and_comments() -> None:
    sql = """SELECT '$no', "$no", $$ $no $$, $x$ $no $x$, E'\\'$no', a$no -- $no
    /* $no */ FROM t WHERE a > $since AND b = $since::int AND c = $who_1"""
    assert parameter_names(sql) == ["since", "who_1"]
    text, names = numbered(sql)
    assert names == ["since", "who_1"]
    assert len(text) == len(sql)
    assert text.endswith("a > $1     AND b = $1    ::int AND c = $2    ")
    assert marked("a = $x AND b = $y AND c = $x") == ("a = ?  AND b = ?  AND c = ? ", ["x", "y", "x"])
    assert without_end("SELECT ';' ; -- that is all") == "SELECT ';' "


def test_values_and_parameters_belong_together(tmp_path: Path) -> None:
    database = make_sqlite(tmp_path / "shop.db")
    with pytest.raises(UsageError, match=r"has \$since, and no value"):
        database.source("SELECT * FROM events WHERE id > $since")
    with pytest.raises(UsageError, match=r"no \$sinse in the query"):
        database.source("SELECT * FROM events WHERE id > $since", params={"since": 1, "sinse": 2})
    with pytest.raises(UsageError, match="is empty"):
        database.source(" ; ")


# --- SQLite -----------------------------------------------------------------------------------------------


def test_values_of_sqlite_have_a_type_each(tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE odd (event_id, user_id, event_type, object_id, timestamp, value, photo)"
        )
        rows: list[tuple[Any, ...]] = [
            (1, "ann", "viewed", "a", 1767225600, 1, "none"),
            ("two", 7, "viewed", 8, "2026-01-01", 2.5, None),
            (3, "bob", "viewed", "b", 1767225600000, "4", b"\x89PNG"),
            (4, "cem", "viewed", "c", 1767225600, "much", None),
            (9_223_372_036_854_775_807, "eve", "viewed", "d", 1767225600.0, None, None),
        ]
        connection.executemany("INSERT INTO odd VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute(
            "INSERT INTO odd VALUES (6, CAST(x'C3' AS TEXT), 'viewed', 'e', 1767225600, NULL, NULL)"
        )
    source = SqlSource(f"sqlite:///{path}", "SELECT * FROM odd ORDER BY rowid")
    found = events(source)
    assert found["event_id"].to_list() == ["1", "two", "9223372036854775807"]
    assert found["user_id"].to_list() == ["ann", "7", "eve"]
    assert found["ts"].n_unique() == 1
    assert [(one.line, one.field, one.reason.split(":")[0]) for one in refused(source)] == [
        (3, "photo", "is binary"),
        (6, "user_id", "holds text that is not UTF-8"),
        (4, "value", "'much' is no number"),
    ]
    shown = {one.line: one.row for one in refused(source)}
    assert shown[3]["photo"] == "89504e47"
    assert shown[6]["user_id"] == "\\xc3"
    with pytest.raises(SourceError, match="the column photo is binary"):
        values(SqlSource(f"sqlite:///{path}", "SELECT photo FROM odd WHERE photo <> 'none'"))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("these are no tables\n" * 100)
    for scheme in ("sqlite", "duckdb"):
        with pytest.raises(SourceError, match="cannot connect") as caught:
            values(SqlSource(f"{scheme}:///{path}", "SELECT 1 AS a"))
        assert caught.value.hint


def test_an_attached_file_cannot_be_written_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = make_sqlite(tmp_path / "shop.db")
    for sql in ("ATTACH DATABASE 'other.db' AS other", "PRAGMA user_version = 7", "VACUUM INTO 'copy.db'"):
        with pytest.raises(SourceError):
            values(database.source(sql))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop.db"]
    assert values(database.source("SELECT user_version FROM pragma_user_version")) == [{"user_version": 0}]


# --- DuckDB, and folders ----------------------------------------------------------------------------------


def test_types_of_duckdb() -> None:
    source = SqlSource(
        "duckdb:",
        "SELECT 'e1' AS event_id, 123456789012345678901::DECIMAL(38, 0) AS user_id, 'viewed' AS event_type, "
        "uuid '00112233-4455-6677-8899-aabbccddeeff' AS object_id, TIMESTAMPTZ '2026-01-01 12:00:00+02' AS timestamp, "
        "4.50::DECIMAL(10, 2) AS value, 7::HUGEINT AS quantity, ['a', 'b'] AS words, true AS gift, "
        "DATE '2026-01-02' AS day, TIME '10:30' AS hour, 'red'::ENUM('red', 'blue') AS colour, {'a': 1} AS more, "
        "NULL AS nothing, 18446744073709551615::UBIGINT::VARCHAR AS wide, 9007199254740993::DECIMAL(38, 0) AS exact",
    )
    (row,) = events(source).rows(named=True)
    assert row["user_id"] == "123456789012345678901"
    assert row["object_id"] == "00112233-4455-6677-8899-aabbccddeeff"
    assert row["ts"] == 1767261600000
    assert row["value"] == 4.5
    assert json.loads(row["properties"]) == {
        "quantity": 7,
        "words": ["a", "b"],
        "gift": True,
        "day": "2026-01-02",
        "hour": "10:30:00",
        "colour": "red",
        "more": '{"a": 1}',
        "wide": "18446744073709551615",
        "exact": 9007199254740993,
    }


def test_tags_come_from_arrays() -> None:
    source = SqlSource("duckdb:", "SELECT 'soap' AS item_id, ['use:bath', 'Green'] AS tags")
    ((described,),) = [chunk.rows for chunk in checked(source)]
    assert described.tags == [("use", "bath", 1.0), ("tag", "Green", 1.0)]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT 'x'::BLOB AS photo", "the column photo is binary"),
        ("SELECT INTERVAL 1 DAY AS long", "the column long is of the type an interval"),
    ],
)
def test_what_duckdb_has_and_a_graph_has_not(sql: str, said: str) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        values(SqlSource("duckdb:", sql))
    assert "Leave it out of the query" in str(caught.value.hint)


def test_endless_times_cost_their_row(postgres: PostgresServer, tmp_path: Path) -> None:
    sql = (
        "SELECT * FROM (VALUES (1, 'ann', 'viewed', 'a', TIMESTAMPTZ '2026-01-01 00:00:00Z', DATE '2026-01-01'), "
        "(2, 'bob', 'viewed', 'a', 'infinity', '2026-01-01'), (3, 'cem', 'viewed', 'a', '2026-01-01', '-infinity'), "
        "(4, 'dan', 'viewed', 'a', '20000-01-01 00:00:00Z', '2026-01-02'), (5, 'eve', 'viewed', 'a', NULL, NULL)) "
        "AS t (event_id, user_id, event_type, object_id, timestamp, due)"
    )
    for uri in ("duckdb:", postgres.uri):
        found = refused(SqlSource(uri, sql))
        assert [(one.line, one.field) for one in found] == [
            (2, "timestamp"),
            (3, "due"),
            (4, "timestamp"),
            (5, "timestamp"),
        ]
        assert [one.row["timestamp"] for one in found][0::2] == ["infinity", "20000-01-01T00:00:00.000000Z"]
        assert found[1].row["due"] == "-infinity"
        assert events(SqlSource(uri, sql))["user_id"].to_list() == ["ann"]
    table = pa.table(
        {"user_id": ["ann", "bob"], "since": pa.array([0, 2**63 - 1], pa.int64()).cast(pa.timestamp("us"))}
    )
    parquet.write_table(table, tmp_path / "users.parquet")
    for source in (tmp_path / "users.parquet", table, pl.DataFrame(table)):
        assert [one.line for one in refused(source, "users")] == [2]


def test_a_file_of_duckdb_leads_nowhere_else(tmp_path: Path) -> None:
    other = tmp_path / "secret.csv"
    other.write_text("a\n1\n")
    database = make("duckdb", tmp_path, None)
    for sql in (
        f"SELECT * FROM read_csv('{other}')",
        f"SELECT * FROM '{other}'",
        f"SELECT * FROM read_text('{other}')",
        "SELECT * FROM read_csv('https://example.com/a.csv')",
        f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
        f"ATTACH '{tmp_path / 'new.db'}'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ):
        with pytest.raises(SourceError):
            values(database.source(sql))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv", "shop.db"]
    # In memory local files can be read, but not written.
    assert values(SqlSource("duckdb:", f"SELECT * FROM read_csv('{other}')")) == [{"a": 1}]
    with pytest.raises(SourceError, match="gives no rows"):
        values(SqlSource("duckdb:", f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'"))


def test_a_folder_leads_nowhere_else_and_its_parts_are_columns(tmp_path: Path) -> None:
    folder = tmp_path / "a lake [it's]"
    for year in (2025, 2026):
        (folder / f"year={year}").mkdir(parents=True)
        parquet.write_table(pa.table({"user_id": [f"u{year}"]}), folder / f"year={year}" / "part-0.parquet")
    outside = tmp_path / "secret.parquet"
    parquet.write_table(pa.table({"a": [1]}), outside)
    uri = f"parquet:///{folder}"
    found = values(SqlSource(uri, "SELECT user_id, year FROM files WHERE year > 2025"))
    assert found == [{"user_id": "u2026", "year": 2026}]
    one = f"parquet:///{folder / 'year=2025' / 'part-0.parquet'}"
    assert values(SqlSource(one, "SELECT user_id FROM files")) == [{"user_id": "u2025"}]
    for address in (uri, one):
        with pytest.raises(SourceError, match="Permission"):
            values(SqlSource(address, f"SELECT * FROM read_parquet('{outside}')"))
    with pytest.raises(SourceError, match="holds no csv file"):
        values(SqlSource(f"csv:///{folder}", "SELECT 1"))


def test_cells_of_csv_are_text(tmp_path: Path) -> None:
    rows = [f"{n:03},u{n},viewed,i,2026-01-01" for n in range(30_000)]
    rows[25_000] = "oops,u,viewed,i,2026-01-01"
    (tmp_path / "events.csv").write_text(
        "event_id,user_id,event_type,object_id,timestamp\n" + "\n".join(rows)
    )
    found = events(SqlSource(f"csv:///{tmp_path}", "SELECT * FROM files"))
    assert found.height == 30_000
    assert found["event_id"].to_list()[7] == "007"
    (tmp_path / "events.csv").unlink()
    # Headers of their own, separators of their own: the columns are those of all.
    (tmp_path / "a.csv").write_text("a;b\n1;x\n")
    (tmp_path / "b.csv").write_text('\ufeffb,c\n"y\nz",\n')
    with gzip.open(tmp_path / "c.tsv.gz", "wt") as stream:
        stream.write("a\tc\n3\tit's\n")
    assert values(SqlSource(f"csv:///{tmp_path}", "SELECT a, b, c FROM files ORDER BY b, a")) == [
        {"a": "1", "b": "x", "c": None},
        {"a": None, "b": "y\nz", "c": None},
        {"a": "3", "b": None, "c": "it's"},
    ]


@pytest.mark.parametrize("text", ["a,b\n1,2\n3,4,5\n", "a,b\n1,2\n3\n", 'a,b\n1,"2\n3,4\n'])
def test_a_broken_line_of_csv_stops_the_query_and_is_never_left_out(text: str, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(text)
    with pytest.raises(SourceError, match="CSV Error on Line: "):
        values(SqlSource(f"csv:///{tmp_path}", "SELECT * FROM files"))


def test_a_query_that_fails_on_its_way_says_so() -> None:
    sql = "SELECT i AS user_id, CASE WHEN i = 150000 THEN ('x' || i)::INT ELSE i END AS n FROM range(200000) AS r(i)"
    with pytest.raises(SourceError, match=r"broke off .*Could not convert string") as caught:
        values(SqlSource("duckdb:", sql))
    assert caught.value.hint


def test_an_unknown_option_is_named(tmp_path: Path) -> None:
    assert values(
        SqlSource("duckdb:?threads=1&memory_limit=500MB", "SELECT current_setting('threads') AS n")
    ) == [{"n": 1}]
    with pytest.raises(UsageError, match="no option allow_unsigned_extensions"):
        values(SqlSource("duckdb:?allow_unsigned_extensions=true", "SELECT 1 AS a"))


# --- PostgreSQL -------------------------------------------------------------------------------------------

TYPES = {
    "event_id": "'e1'",
    "user_id": "12345678901234567890::numeric(20, 0)",
    "event_type": "'viewed'",
    "object_id": "'00112233-4455-6677-8899-aabbccddeeff'::uuid",
    "timestamp": "timestamptz '2026-01-01 12:00:00+02'",
    "value": "4.50::numeric(10, 2)",
    "quantity": "7::numeric(5, 0)",
    "average": "2.5::numeric",
    "exact": "9007199254740993::numeric",
    "small": "3::int2",
    "words": "array['a', 'b']",
    "numbers": "array[1.5, 2]::numeric[]",
    "gift": "true",
    "day": "date '2026-01-02'",
    "hour": "time '10:30'",
    "local": "timestamp '2026-01-01 10:00'",
    "more": "'{\"a\": 1}'::jsonb",
    "padded": "'x'::char(3)",
    "nothing": "NULL",
    "half": "0.5::float4",
}


@pytest.mark.parametrize("params", [{}, {"always": "yes"}], ids=["copy", "cursor"])
def test_types_of_postgresql(postgres: PostgresServer, params: dict[str, Any]) -> None:
    sql = "SELECT " + ", ".join(f"{value} AS {name}" for name, value in TYPES.items())
    if params:
        sql += " WHERE $always = 'yes'"
    (row,) = events(SqlSource(postgres.uri, sql, params)).rows(named=True)
    assert row["user_id"] == "12345678901234567890"
    assert row["object_id"] == "00112233-4455-6677-8899-aabbccddeeff"
    assert row["ts"] == 1767261600000
    assert row["value"] == 4.5
    assert json.loads(row["properties"]) == {
        "quantity": 7,
        "average": 2.5,
        "exact": 9007199254740993,
        "small": 3,
        "words": ["a", "b"],
        "numbers": [1.5, 2.0],
        "gift": True,
        "day": "2026-01-02",
        "hour": "10:30:00",
        "local": "2026-01-01T10:00:00",
        "more": '{"a": 1}',
        "padded": "x",
        "half": 0.5,
    }


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("'x'::bytea", "is binary"),
        ("'12.50'::money", "money"),
        ("interval '1 day'", "an interval"),
        ("'10.0.0.1'::inet", "inet"),
        ("int4range(1, 3)", "type"),
        ("timetz '10:00+02'", "timetz"),
        ("array['x'::bytea]", "is binary"),
    ],
)
def test_what_postgresql_has_and_a_graph_has_not(postgres: PostgresServer, value: str, said: str) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        values(SqlSource(postgres.uri, f"SELECT 1 AS user_id, {value} AS odd"))
    assert "the column odd" in caught.value.message
    assert "Leave it out of the query" in str(caught.value.hint)


def test_an_enum_is_text(postgres: PostgresServer) -> None:
    postgres.run("DROP TYPE IF EXISTS mood", "CREATE TYPE mood AS ENUM ('glad', 'sad')")
    found = values(SqlSource(postgres.uri, "SELECT 'sad'::mood AS mood, array['glad'::mood] AS moods"))
    assert found == [{"mood": "sad", "moods": ["glad"]}]


@pytest.mark.parametrize("params", [{}, {"n": 1}], ids=["copy", "cursor"])
def test_one_snapshot_that_cannot_be_written_to(postgres: PostgresServer, params: dict[str, Any]) -> None:
    condition = " WHERE $n = 1" if params else ""
    settings = "current_setting('transaction_isolation') AS isolation, current_setting('transaction_read_only') AS only"
    assert values(SqlSource(postgres.uri, f"SELECT {settings}{condition}", params)) == [
        {"isolation": "repeatable read", "only": "on"}
    ]
    postgres.run(
        "DROP TABLE IF EXISTS many", "CREATE TABLE many AS SELECT i FROM generate_series(1, 200000) AS i"
    )
    opened = SqlSource(postgres.uri, f"SELECT i FROM many{condition}", params).open()
    try:
        chunks = opened.chunks("users", 1000)
        first = next(chunks).frame.height
        postgres.run("DELETE FROM many WHERE i > 5", "INSERT INTO many VALUES (0)")
        assert first + sum(chunk.frame.height for chunk in chunks) == 200_000
    finally:
        opened.close()
    for sql in (
        "WITH gone AS (DELETE FROM many RETURNING i) SELECT * FROM gone",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "COMMIT",
        "COPY many TO STDOUT",
    ):
        with pytest.raises(SourceError):
            values(SqlSource(postgres.uri, sql))
    assert postgres.run("SELECT count(*) FROM many") == [(6,)]


def test_the_place_of_an_error_is_that_in_the_query(postgres: PostgresServer) -> None:
    for params, condition in (({}, ""), ({"a": "1"}, "WHERE $a = '1' AND b = 2")):
        with pytest.raises(SourceError, match=r"\(line 2, column 8\)"):
            values(SqlSource(postgres.uri, f"SELECT 1,\n       nothing FROM pg_class {condition}", params))
    with pytest.raises(SourceError, match="add explicit type casts"):
        values(SqlSource(postgres.uri, "SELECT 1 AS a FROM pg_class WHERE oid > $a", {"a": "1"}))


def test_comments_and_semicolons_at_the_end(postgres: PostgresServer) -> None:
    for sql in (
        "SELECT 1 AS a -- one",
        "SELECT 1 AS a;",
        "/* one */ SELECT 1 AS a; -- one\n",
        "SELECT 1 AS a ;;\n",
    ):
        for uri in (postgres.uri, "duckdb:"):
            assert values(SqlSource(uri, sql)) == [{"a": 1}]


def test_parameters_of_every_python_type(postgres: PostgresServer) -> None:
    moment = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    sql = (
        "SELECT CAST($moment AS timestamptz) AS moment, CAST($day AS date) AS day, $whole AS whole, $part AS part, "
        "$yes AS yes, CAST($price AS decimal(10, 2)) AS price, CAST($nobody AS text) AS nobody, "
        "CAST($who AS text) AS who"
    )
    params = {
        "moment": moment,
        "day": moment.date(),
        "whole": 5,
        "part": 1.5,
        "yes": True,
        "price": Decimal("4.50"),
        "nobody": None,
        "who": "a'b",
    }
    for uri in (postgres.uri, "duckdb:"):
        assert values(SqlSource(uri, sql, params)) == [{**params, "price": 4.5}]


@pytest.mark.parametrize("way", ["wrong password", "no server", "no database", "no host"])
def test_nobody_lets_us_in(postgres: PostgresServer, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    uri = {
        "wrong password": postgres.address("gp", "wr0ng%40pass"),
        "no server": "postgresql://gp:wr0ng%40pass@127.0.0.1:1/postgres",
        "no database": postgres.uri.replace("/postgres", "/nothing"),
        "no host": "postgresql://gp:wr0ng%40pass@nowhere.invalid/postgres",
    }[way]
    with pytest.raises(SourceError, match="cannot connect") as caught:
        values(SqlSource(uri, "SELECT 1 AS a"))
    said = f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
    assert "wr0ng" not in said
    assert postgres.password not in said


def test_the_ways_of_a_password(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = postgres.address("gp")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "nothing"))
    with pytest.raises(SourceError, match="no password supplied"):
        values(SqlSource(bare, "SELECT 1 AS a"))
    assert values(SqlSource(bare, "SELECT 1 AS a", password=postgres.password)) == [{"a": 1}]
    wrong = postgres.address("gp", "wrong")
    assert values(SqlSource(wrong, "SELECT 1 AS a", password=postgres.password)) == [{"a": 1}]
    monkeypatch.setenv("PGPASSWORD", postgres.password)
    assert values(SqlSource(bare, "SELECT 1 AS a")) == [{"a": 1}]
    monkeypatch.delenv("PGPASSWORD")
    (tmp_path / "pgpass").write_text(f"*:*:*:gp:{postgres.password}\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    assert values(SqlSource(bare, "SELECT 1 AS a")) == [{"a": 1}]


def test_nothing_stays_open(postgres: PostgresServer) -> None:
    uri = f"{postgres.uri}?application_name=tested"
    chunks = read_source(SqlSource(uri, "SELECT i FROM generate_series(1, 100000) AS i"), chunk_rows=10)
    next(chunks)
    chunks.close()
    for sql in ("SELECT 1", "SELEC", "SELECT 'x'::bytea"):
        with pytest.raises(SourceError):
            checked(SqlSource(uri, sql))
    gone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tested'"
    for _ in range(50):
        if postgres.run(gone) == [(0,)]:
            return
        postgres.run("SELECT pg_sleep(0.1)::text")
    pytest.fail("a connection is still there")


# --- Any ADBC driver --------------------------------------------------------------------------------------


def test_a_driver_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot connect") as caught:
        values(SqlSource("snow://ann:s3cret@host/db", "SELECT 1", driver="nobodys_driver", password="s3cret"))
    assert caught.value.message.startswith("nobodys_driver://host: ")
    assert "s3cret" not in str(caught.value) + str(caught.value.hint)


@pytest.mark.parametrize(
    ("module", "uri"),
    [
        ("duckdb", "duckdb:"),
        ("adbc_driver_postgresql", "postgresql://h/d"),
        ("adbc_driver_manager", "x://h/d"),
    ],
)
def test_a_missing_package_is_named(module: str, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    driver = "sqlite" if uri.startswith("x:") else None
    with pytest.raises(UsageError, match="needs") as caught:
        values(SqlSource(uri, "SELECT 1", driver=driver))
    assert caught.value.hint == "pip install 'graphprofile[sql]'"


# --- Memory -----------------------------------------------------------------------------------------------

MANY = 2_000_000
PEAK = """
import sys
from pathlib import Path
from graphprofile import SqlSource
from graphprofile.ingest.read import read_source

def peak():
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024

uri, sql, many = sys.argv[1:]
def rows(sql):
    source = SqlSource(uri, sql, {"n": int(many)} if "$n" in sql else {})
    return sum(chunk.frame.height for chunk in read_source(source, "events", chunk_rows=20_000))
rows(f"SELECT * FROM ({sql}) AS q LIMIT 200000")
before = peak()
found = rows(sql)
print(found, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("name", ["sqlite", "duckdb", "cursor", "copy"])
def test_a_large_result_is_streamed(name: str, tmp_path: Path, postgres: PostgresServer) -> None:
    series = "SELECT i AS event_id, '{pad}' || i AS note FROM generate_series(1, {many}) AS s(i)"
    pad = "a text of some length, so that all rows together are much more than may be held at once. " * 4
    uri, sql = {
        "sqlite": (
            f"sqlite:///{tmp_path / 'empty.db'}",
            "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < $n) "
            "SELECT i AS event_id, '{pad}' || i AS note FROM s",
        ),
        "duckdb": ("duckdb:", series.replace("{many}", "$n")),
        "cursor": (postgres.uri, series.replace("{many}", "$n::int")),
        "copy": (postgres.uri, series.replace("{many}", str(MANY))),
    }[name]
    sqlite3.connect(tmp_path / "empty.db").close()
    done = subprocess.run(
        [sys.executable, "-c", PEAK, uri, sql.replace("{pad}", pad), str(MANY)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows, grown = done.stdout.split()
    assert int(rows) == MANY
    # All rows together are about 700 MB.
    assert float(grown) < 150


@pytest.fixture(autouse=True)
def _no_files_left(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """What DuckDB would put on the disk goes with its connection."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert not list(folder.glob("graphprofile-*"))
