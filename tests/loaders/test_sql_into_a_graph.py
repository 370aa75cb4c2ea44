"""Queries into both engines: every database gives the same graph, twice is once, and no secret is left anywhere."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import empty
from postgres_server import PostgresServer
from sql_world import NAMES, QUERY, make, make_postgres, make_sqlite
from test_shopify_orders import HEADER, ORDERS

from graphprofile import GraphProfile, SqlSource
from graphprofile.cli.app import run
from graphprofile.errors import UsageError
from graphprofile.ingest.quarantine import list_quarantine
from graphprofile.settings import Settings
from graphprofile.store import Store

RULES = """
[columns.said_at]
formats = ["%Y-%m-%d %H:%M:%S"]
[events]
user_id = "customer"
event_type = "what"
object_id = "sku"
timestamp = "said_at"
value = "price"
event_id = "id"
[items]
item_id = "sku"
title = "sku"
[users]
user_id = "customer"
"""

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(
    store_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Cli:
    """Runs a command in-process: (exit code, stdout, stderr)."""
    for name, value in store_env.items():
        if name.startswith("GRAPHPROFILE_"):
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(list(arguments))
        return code, *capsys.readouterr()

    return call


def emptied(gp: GraphProfile) -> GraphProfile:
    empty(gp.store)
    return GraphProfile(gp.store, gp.settings)


def test_every_database_gives_the_same_graph_and_twice_is_once(
    settings_for_store: Settings, tmp_path: Path, postgres: PostgresServer
) -> None:
    digests = set()
    with GraphProfile(Store.open(settings_for_store), settings_for_store) as gp:
        for name in NAMES:
            (tmp_path / name).mkdir()
            database = make(name, tmp_path / name, postgres)
            first = gp.load(database.source())
            assert (first.read, first.applied, first.conflicts, first.quarantined) == (5, 4, 0, 1)
            again = gp.load(database.source())
            assert (again.applied, again.duplicates, again.conflicts, again.quarantined) == (0, 4, 0, 1)
            # Nobody can say of a query that it was seen whole; its refused row lies in quarantine once all the same.
            assert again.unsent == 0
            assert sum(entry.rows for entry in list_quarantine(gp.settings.data_dir)) == 1
            (batch,) = gp.store.cypher(
                "MATCH (b:Batch {id: $id}) RETURN b.source AS source", {"id": first.batch}
            )
            assert batch["source"] == database.name
            digests.add(gp.digest())
            assert first.quarantine_file is not None
            Path(first.quarantine_file).unlink()
            gp = emptied(gp)
    assert len(digests) == 1


def test_a_refused_row_is_mended_and_tried_again(
    settings_for_store: Settings, tmp_path: Path, postgres: PostgresServer
) -> None:
    with GraphProfile(Store.open(settings_for_store), settings_for_store) as gp:
        for name in ("sqlite", "duckdb", "postgresql"):
            (tmp_path / name).mkdir()
            database = make(name, tmp_path / name, postgres)
            mended = database.query.replace("said_at AS", "REPLACE(said_at, 'soon', '2026-01-02') AS")
            assert gp.load(database.source(mended)).applied == 5
            whole = gp.digest()
            gp = emptied(gp)
            # All of a row but what is mended in it comes back as it was read: decimals, times and all.
            loaded = gp.load(database.source())
            (still,) = gp.retry_quarantine(loaded.batch)
            assert (still.applied, still.quarantined) == (0, 1)
            path = Path(str(loaded.quarantine_file))
            path.write_text(path.read_text("utf-8").replace('"soon"', '"2026-01-02"'), "utf-8")
            (retried,) = gp.retry_quarantine(loaded.batch)
            assert (retried.applied, retried.quarantined) == (1, 0)
            assert gp.digest() == whole
            gp = emptied(gp)


def test_typed_rows_come_back_from_quarantine_as_they_were(
    settings_for_store: Settings, postgres: PostgresServer
) -> None:
    sql = (
        "SELECT 1 AS event_id, {who} AS user_id, 'viewed' AS event_type, CAST('00112233-4455-6677-8899-aabbccddeeff' "
        "AS uuid) AS object_id, TIMESTAMPTZ '2026-01-01 12:00:00.123456+02' AS timestamp, CAST(4.50 AS decimal(10, 2)) "
        "AS price, CAST(7 AS decimal(20, 0)) AS quantity, true AS gift, DATE '2026-01-02' AS due, "
        "CAST(2.5 AS float) AS part"
    )
    with GraphProfile(Store.open(settings_for_store), settings_for_store) as gp:
        digests = set()
        for uri in (postgres.uri, "duckdb:"):
            gp.load(SqlSource(uri, sql.format(who="'ann'")))
            digests.add(gp.digest())
            gp = emptied(gp)
            loaded = gp.load(SqlSource(uri, sql.format(who="CAST(NULL AS text)")))
            assert loaded.quarantined == 1
            path = Path(str(loaded.quarantine_file))
            document = json.loads(path.read_text("utf-8"))
            document["row"]["user_id"] = "ann"
            path.write_text(json.dumps(document) + "\n", "utf-8")
            (retried,) = gp.retry_quarantine(loaded.batch)
            assert retried.applied == 1
            digests.add(gp.digest())
            gp = emptied(gp)
        assert len(digests) == 1


def test_what_is_new_since_a_moment(settings_for_store: Settings, tmp_path: Path) -> None:
    database = make_sqlite(tmp_path / "shop.db")
    since = QUERY.format(table="events").replace(" ORDER BY", " WHERE id > $since - 2 ORDER BY")

    def source(after: int) -> SqlSource:
        return database.source(since, params={"since": after})

    with GraphProfile(Store.open(settings_for_store), settings_for_store) as gp:
        assert gp.load(source(0)).applied == 4
        with closing(sqlite3.connect(tmp_path / "shop.db")) as connection, connection:
            connection.execute(
                "INSERT INTO events VALUES (6, 'ann', 'viewed', 'towel', '2026-01-05 10:00:00', NULL)"
            )
        # The window overlaps the one before: what came then is a duplicate by the table's own key.
        later = gp.load(source(5))
        assert (later.applied, later.duplicates) == (1, 2)
        digest = gp.digest()
        gp = emptied(gp)
        gp.load(database.source())
        assert gp.digest() == digest


def test_a_mapping_file_makes_its_tables_of_one_query(
    settings_for_store: Settings, tmp_path: Path, postgres: PostgresServer
) -> None:
    rules = tmp_path / "shop.toml"
    rules.write_text(RULES, "utf-8")
    database = make_postgres(postgres)
    with GraphProfile(Store.open(settings_for_store), settings_for_store) as gp:
        loaded = gp.load(database.source("SELECT * FROM events ORDER BY id"), mapping=rules)
        assert (loaded.read, loaded.quarantined) == (15, 1)
        found = gp.store.cypher("MATCH (i:Item) RETURN i.title AS title ORDER BY title")
        assert [row["title"] for row in found] == ["soap", "towel"]
        assert gp.profile("ann").events == {"purchased": 1, "returned": 1}
        (retried,) = gp.retry_quarantine(loaded.batch)
        assert retried.quarantined == 1
        again = gp.load(database.source("SELECT * FROM events"), mapping=rules, kind="events")
        assert (again.read, again.applied, again.duplicates) == (5, 0, 4)


def test_a_loader_reads_a_query_as_it_reads_the_file(settings_for_store: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    path = folder / "orders.csv"
    path.write_text(HEADER + "".join(ORDERS), "utf-8")
    source = SqlSource(f"csv:///{folder}", "SELECT * FROM files")
    with GraphProfile(Store.open(settings_for_store), settings_for_store) as gp:
        whole = gp.load(path, loader="shopify-orders")
        digest = gp.digest()
        again = gp.load(source, loader="shopify-orders")
        assert (again.read, again.applied, again.conflicts) == (whole.read, 0, 0)
        gp = emptied(gp)
        gp.load(source, loader="shopify-orders")
        assert gp.digest() == digest
        with pytest.raises(UsageError, match="tells its tables by the names of files"):
            gp.load(source, loader="movielens")


def test_queries_files_and_rows_go_into_one_batch(settings_for_store: Settings, tmp_path: Path) -> None:
    database = make_sqlite(tmp_path / "shop.db")
    (tmp_path / "more.csv").write_text("user_id,event_type,object_id,timestamp\nann,viewed,cup,2026-02-01\n")
    with GraphProfile(Store.open(settings_for_store), settings_for_store) as gp:
        loaded = gp.load(
            database.source(),
            tmp_path / "more.csv",
            database.source("SELECT DISTINCT sku AS item_id, sku AS title FROM events", kind="items"),
        )
        assert (loaded.read, loaded.applied, loaded.quarantined) == (8, 7, 1)
        dry = gp.load(database.source(), dry_run=True)
        assert (dry.duplicates, dry.quarantined) == (4, 1)


def test_the_command_loads_and_says_no_secret(cli: Cli, postgres: PostgresServer, tmp_path: Path) -> None:
    database = make_postgres(postgres)
    (tmp_path / "events.sql").write_text(f"-- All events.\n{database.query};\n", "utf-8")
    secret = tmp_path / "secret"
    secret.write_text(f"{postgres.password}\n")
    secret.chmod(0o600)
    bare = postgres.address("gp")
    said = []

    def call(code: int, *arguments: str) -> tuple[str, str]:
        found, out, err = cli(*arguments)
        assert found == code, err
        said.append(out + err)
        return out, err

    document = json.loads(call(3, "load", "--sql", database.query, "--from", database.uri, "--json")[0])
    assert (document["read"], document["applied"], document["quarantined"]) == (5, 4, 1)
    by_file = ("--sql-file", "events.sql", "--from", bare, "--from-password-file", str(secret))
    document = json.loads(call(3, "load", *by_file, "--json")[0])
    assert (document["applied"], document["duplicates"], document["quarantined"]) == (0, 4, 1)
    since = database.query.replace(" ORDER BY", " WHERE id > $since::bigint ORDER BY")
    document = json.loads(
        call(0, "update", "--sql", since, "--param", "since=3", "--from", database.uri, "--json")[0]
    )
    assert document["load"]["duplicates"] == 2
    mapped = ("--map", "user_id=who", "--kind", "users")
    call(0, "load", "--sql", "SELECT DISTINCT customer AS who FROM events", "--from", database.uri, *mapped)
    call(3, "quarantine", "retry")
    call(0, "status", "--json")
    wrong = ("load", "--sql", "SELECT nothing\nFROM events", "--from", database.uri)
    assert 'column "nothing" does not exist (line 1, column 8)' in call(1, *wrong)[1]
    assert "no password supplied" in call(1, "load", "--sql", "SELECT 1 AS a", "--from", bare)[1]
    for text in said:
        assert postgres.password not in text
        assert "Traceback" not in text
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file() and "store" not in path.parts]
    assert kept
    for path in kept:
        assert postgres.password.encode() not in path.read_bytes(), path


def test_a_batch_holds_no_secret(settings_for_store: Settings, postgres: PostgresServer) -> None:
    database = make_postgres(postgres)
    with GraphProfile(Store.open(settings_for_store), settings_for_store) as gp:
        gp.load(database.source())
        everything: list[Any] = gp.store.cypher("MATCH (n) RETURN properties(n) AS properties")
        everything += gp.store.cypher("MATCH ()-[r]->() RETURN properties(r) AS properties")
        assert postgres.name in str(everything)
        assert postgres.password not in str(everything)
        assert "gp:" not in str(everything)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--sql", "SELECT 1"), 2, "--sql needs --from"),
        (("--from", "duckdb:"), 2, "--from goes with --sql"),
        (("--param", "a=1", "x.csv"), 2, "--param goes with --sql"),
        (("--sql", "SELECT 1", "--sql-file", "a.sql", "--from", "duckdb:"), 2, "do not go together"),
        (("--sql", "SELECT 1", "--from", "duckdb:", "x.csv"), 2, "takes no source"),
        (("--sql", "SELECT $a", "--from", "duckdb:", "--param", "a"), 2, "is no NAME=VALUE"),
        (("--sql", "SELECT $a", "--from", "duckdb:", "--param", "a=1", "--param", "$a=2"), 2, "comes twice"),
        (("--sql", "SELECT $a", "--from", "duckdb:"), 2, "has $a, and no value"),
        (("--sql-file", "none.sql", "--from", "duckdb:"), 2, "the query cannot be read"),
        (("--sql", "SELECT 1", "--from", "duckdb:", "--watch", "."), 2, "takes . and no source"),
        (("--sql", "SELECT 1", "--from", "duckdb:", "--undo", "b1"), 2, "takes b1 and no source"),
        (("--sql", "SELECT 1", "--from", "sqlite:///none.db"), 1, "there is no such file"),
        (("--sql", "SELECT 1", "--from", "oracle://h/d"), 2, "Nobody here reads oracle"),
        (("--sql", "SELECT 1 AS a", "--from", "duckdb:"), 1, "cannot tell what its rows are"),
        (("--sql", "SELECT 1 AS a", "--from", "duckdb:", "--driver", "nobodys"), 1, "cannot connect"),
    ],
)
def test_wrong_commands_are_named(
    arguments: tuple[str, ...],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRAPHPROFILE_DATA", str(tmp_path / "data"))
    assert run(["load", *arguments]) == code
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_years_of_history_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = make_sqlite(tmp_path / "shop.db")
    monkeypatch.setenv("GRAPHPROFILE_DATA", str(tmp_path / "data"))
    assert run(["load", "--bulk", "--sql", database.query, "--from", database.uri]) == 3
    with GraphProfile.open() as gp:
        assert gp.load(database.source()).duplicates == 4
