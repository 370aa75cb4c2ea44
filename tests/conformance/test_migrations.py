"""Stores of schema version 1 on both engines: refused, backed up, migrated, and used on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import empty

from graphprofile import GraphProfile
from graphprofile.backup import restore
from graphprofile.cli.app import run
from graphprofile.errors import StoreMismatch
from graphprofile.migrations import STEPS, migrate
from graphprofile.profiles import SCHEMA_VERSION
from graphprofile.settings import Settings
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

from .conftest import event

NEW_IN_2 = {("BatchPart", ("id",)), ("BatchLane", ("id",)), ("Retracted", ("type", "event_id"))}
BATCHES = 5


def write_version_1(store: Store) -> None:
    """A store as the program of schema version 1 left it: its record, its constraints, batches with totals only."""
    empty(store)
    names = {
        str(row["name"]): (tuple(row["labelsOrTypes"]), tuple(row["properties"]))
        for row in store.cypher("SHOW CONSTRAINTS")
    }
    for name, ((label, *_), properties) in names.items():
        if (label, properties) in NEW_IN_2:
            store.cypher(f"DROP CONSTRAINT `{name}`", read_only=False)
    store.cypher(
        "CREATE (:Schema {id: 'graphprofile', store_id: 'one', version: 1, vocabulary: $vocabulary})",
        {"vocabulary": Vocabulary().to_json()},
        read_only=False,
    )
    for number in range(BATCHES):
        store.cypher(
            "CREATE (:Batch {id: $id, source: 'events.csv', loader: 'generic', kind: 'any', state: $state, "
            "started_at: 1700000000000, finished_at: 1700000001000, last_write_at: 1700000000500, "
            "vocabulary: $vocabulary, read: 2, applied: 2, duplicates: 0, conflicts: 0, quarantined: 0, "
            "late: 0, newest_ts: 1700000000000, oldest_ts: 1690000000000})",
            {
                "id": f"20231114T22132{number}-abcdef",
                "state": "running" if number == 4 else "done",
                "vocabulary": Vocabulary().fingerprint(),
            },
            read_only=False,
        )
    store.cypher(
        "CREATE (u:User {id: 'ann', rev: 2, tags_due: 'ann', embed_due: 'ann'}) "
        "CREATE (i:Item {id: 'i1', title: 'One', described: 0, embed_due: 'i1'}) "
        "CREATE (t:Tag {kind: 'genre', name: 'Poetry'}) CREATE (i)-[:HAS_TAG {weight: 1.0}]->(t) "
        "CREATE (u)-[:VIEWED {event_id: 'e1', ts: 1690000000000, hash: 'x', batch: '20231114T221320-abcdef'}]->(i) "
        "CREATE (u)-[:PURCHASED {event_id: 'e2', ts: 1700000000000, value: 9.5, hash: 'y', "
        "batch: '20231114T221320-abcdef'}]->(i)",
        read_only=False,
    )


@pytest.fixture
def old(settings_for_store: Settings) -> Settings:
    with Store.open(settings_for_store) as store:
        write_version_1(store)
        assert not NEW_IN_2 & unique(store)
    return settings_for_store


@pytest.fixture
def old_cli(
    old: Settings, store_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in store_env.items():
        if name.startswith("GRAPHPROFILE_"):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


def unique(store: Store) -> set[tuple[str, tuple[str, ...]]]:
    rows = store.read("schema/show")
    return {(row["label"], tuple(row["properties"])) for row in rows if row["unique"]}


def test_there_is_a_step_from_every_version() -> None:
    assert list(STEPS) == list(range(1, SCHEMA_VERSION))


@pytest.mark.usefixtures("old_cli")
def test_an_older_store_is_refused_backed_up_and_migrated(
    capsys: pytest.CaptureFixture[str], old: Settings
) -> None:
    for command in ("status", "digest", "tags"):
        assert run([command, "--json"]) == 1
        error = json.loads(capsys.readouterr().err)["error"]
        assert error["code"] == "store_mismatch"
        assert "schema version 1" in error["message"]
        assert "`graphprofile migrate`" in error["hint"]
    assert run(["backup", "old.zip", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema_version"] == 1
    assert run(["migrate", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["from_version"], document["to_version"]) == (1, SCHEMA_VERSION)
    assert run(["migrate"]) == 0
    assert f"schema version {SCHEMA_VERSION} already" in capsys.readouterr().out
    with Store.open(old) as store:
        assert unique(store) >= NEW_IN_2
        rows = store.cypher("MATCH (b:Batch) RETURN b.undoable AS undoable, b.applied AS applied")
        assert rows == [{"undoable": False, "applied": 2}] * BATCHES
    with GraphProfile(Store.open(old), old) as gp:
        assert gp.status()["events"] == {"viewed": 1, "purchased": 1}
        assert gp.update_tags(verify=True).users == 1
        assert gp.profile("ann").tags[0].tag == "Poetry"
        assert gp.load([event("e3", "ann", "i1")]).applied == 1
        new = gp.cypher("MATCH (b:Batch) WHERE b.undoable = false RETURN count(b) AS n")
        assert new == [{"n": BATCHES}]


def test_shares_are_there_after_a_migration_from_version_2(
    settings_for_store: Settings, store: Store
) -> None:
    with GraphProfile(store, settings_for_store) as gp:
        gp.load([{"item_id": "i1", "tags": "genre:Poetry"}, {"item_id": "i2", "tags": "genre:Travel"}])
        gp.load([event("e1", "ann", "i1"), event("e2", "ann", "i2"), event("e3", "bob", "i2")])
        gp.update_tags()
        gp.cypher(
            "MATCH (u:User) SET u.interest_kinds = null, u.interest_sums = null, u.interests_at = null "
            "WITH count(u) AS n MATCH (s:Schema) SET s.version = 2",
            read_only=False,
        )
        assert migrate(store, SCHEMA_VERSION).from_version == 2
        gp.forget_rules()
        assert list(gp.audience("interest tag=Travel share=0.6").ids()) == ["bob"]
        assert list(gp.audience("interest tag=Travel share=0.4").ids()) == ["ann", "bob"]
        assert gp.update_tags(verify=True).max_relative_error == 0


@pytest.mark.usefixtures("old_cli")
def test_a_backup_of_an_older_store_is_restored_and_migrated(
    capsys: pytest.CaptureFixture[str], old: Settings
) -> None:
    assert run(["backup", "old.zip"]) == 0
    with Store.open(old) as store:
        empty(store)
    assert run(["restore", "old.zip"]) == 0
    assert "run `graphprofile migrate` now" in capsys.readouterr().out
    assert run(["status"]) == 1
    assert run(["migrate"]) == 0
    assert f"Schema version 1 became {SCHEMA_VERSION}" in capsys.readouterr().out
    assert run(["status"]) == 0


@pytest.mark.usefixtures("old_cli")
def test_a_migration_that_is_killed_is_done_again(
    old: Settings, store_env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    script = """
import os
from graphprofile import GraphProfile, migrations
from graphprofile.store import Store
migrations.BATCHES_PER_TRANSACTION = 2
done = [0]
write = Store.write
def counted(self, work):
    done[0] += 1
    return write(self, work) if done[0] < 3 else os._exit(9)
Store.write = counted
GraphProfile.migrate()
"""
    assert subprocess.run([sys.executable, "-c", script], env=store_env, check=False).returncode == 9
    with Store.open(old) as store:
        rows = store.cypher("MATCH (b:Batch) WHERE b.undoable = false RETURN count(b) AS n")
        assert rows == [{"n": 4}]
    assert run(["status"]) == 1
    assert run(["migrate"]) == 0
    assert run(["status"]) == 0
    with Store.open(old) as store:
        rows = store.cypher("MATCH (b:Batch) WHERE b.undoable = false RETURN count(b) AS n")
        assert rows == [{"n": BATCHES}]


def test_a_load_by_the_older_program_is_waited_for(old: Settings) -> None:
    with Store.open(old) as store:
        store.cypher(
            "CREATE (:Batch {id: 'busy', state: 'running', started_at: 1, last_write_at: $now})",
            {"now": int(time.time() * 1000)},
            read_only=False,
        )
        with pytest.raises(StoreMismatch, match="A load is under way: batch busy"):
            migrate(store, SCHEMA_VERSION)
        assert store.cypher("MATCH (s:Schema) RETURN s.version AS v") == [{"v": 1}]


def test_a_newer_store_is_left_to_the_newer_program(
    settings_for_store: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with GraphProfile(Store.open(settings_for_store), settings_for_store) as gp:
        gp.load([event("e1", "ann", "i1")])
        gp.cypher("MATCH (s:Schema) SET s.version = $v", {"v": SCHEMA_VERSION + 1}, read_only=False)
    with Store.open(settings_for_store) as store:
        for attempt in (
            lambda: GraphProfile(store, settings_for_store),
            lambda: migrate(store, SCHEMA_VERSION),
        ):
            with pytest.raises(StoreMismatch, match=f"schema version {SCHEMA_VERSION + 1}") as caught:
                attempt()
            assert "newer program" in (caught.value.hint or "")
        from graphprofile.backup import back_up

        back_up(store, settings_for_store.data_dir, tmp_path / "b.zip")
        empty(store)
        with pytest.raises(StoreMismatch, match=r"b\.zip: the backup has schema version"):
            restore(store, settings_for_store.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)
        assert store.cypher("MATCH (n) RETURN 1 LIMIT 1") == []


def test_an_empty_graph_needs_no_migration(
    settings_for_store: Settings,
    store_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in store_env.items():
        if name.startswith("GRAPHPROFILE_"):
            monkeypatch.setenv(name, value)
    assert run(["migrate"]) == 0
    assert "nothing to migrate" in capsys.readouterr().out
    arguments: dict[str, Any] = {"data_dir": settings_for_store.data_dir}
    if settings_for_store.uri and settings_for_store.password:
        arguments |= {
            "uri": settings_for_store.uri,
            "password": settings_for_store.password.get_secret_value(),
        }
    assert GraphProfile.migrate(**arguments).to_version is None
