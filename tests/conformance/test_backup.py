"""Backup and restore on both engines and across them: everything comes back, or nothing is written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import empty
from pydantic import SecretStr

from graphprofile import GraphProfile
from graphprofile.backup import graph, restore, restoring, writing
from graphprofile.backup.archive import Archive, seal
from graphprofile.backup.graph import GraphReader
from graphprofile.cli.app import run
from graphprofile.errors import BackupError, NotFound, StoreMismatch
from graphprofile.profiles import SCHEMA_VERSION
from graphprofile.settings import Settings
from graphprofile.store import Store

from .conftest import event

# What people put on nodes of their own, values that JSON has no word for among them.
OWN = """
CREATE (a:`my thing`:Extra {at: datetime('2024-01-02T03:04:05.000000006+02:00'), none: null, text: 'é\u0000"\\n',
  zoned: datetime('2024-07-02T03:04:05[Europe/Paris]'), local: localdatetime('2024-01-02T03:04:05'),
  day: date('2024-02-29'), hour: time('03:04:05+02:00'), local_hour: localtime('03:04:05'),
  lasting: duration('P1M2DT-3.5S'), days: [date('2024-01-01'), date('2024-01-02')],
  place: point({longitude: 2.35, latitude: 48.85}), corner: point({x: 1.0, y: 2.0, z: 3.0}),
  bytes: $bytes, nan: $nan, infinite: -$infinite, zero: -0.0, one: 1.0, whole: 1, large: 9223372036854775807,
  floats: [0.1, 1.0], short: [], texts: ['', 'b'], yes: [true, false], vector: $vector, exact: $exact})
CREATE (:Other {name: 'no id'})
CREATE (:Other {name: 'no id'})
CREATE (n {name: 'no label'})
CREATE (a)-[:`knows of` {since: date('1919-11-19'), times: [datetime('2024-01-02T03:04:05Z')]}]->(n)
CREATE (a)-[:`knows of`]->(n)
CREATE (a)-[:ALONE {x: 1.5}]->(a)
WITH a
MATCH (u:User {id: 'ann'})
CREATE (u)-[:OWNS]->(a)
SET u:Admin
"""
VALUES = {
    "bytes": b"\x00\xff",
    "nan": float("nan"),
    "infinite": float("inf"),
    "vector": [n / 7 for n in range(9)],
    "exact": [n / 8 for n in range(9)],
}


def fill(gp: GraphProfile, *, train: bool = False) -> None:
    """A small store with one of everything."""
    items = [{"item_id": f"i{n}", "title": f"Title {n}", "tags": f"genre:g{n % 3}"} for n in range(8)]
    gp.load(items)
    rows = [
        event(f"e{n}", "ann" if n % 3 else "bob", f"i{n % 8}", ts=1_700_000_000 + n * 3600) for n in range(40)
    ]
    gp.load(rows)
    gp.load([event("bad", "", "i1")])
    gp.update_tags()
    if train:
        for label, query in (("User", "embed/write_users"), ("Item", "embed/write_items")):
            ids = [row["id"] for row in gp.store.cypher(f"MATCH (n:{label}) RETURN n.id AS id ORDER BY id")]
            rest: list[Any] = [1, "fresh"] if label == "User" else []
            vectors = [[id_, [1.0, (n + 1) / 16, *[0.5] * 6], *rest] for n, id_ in enumerate(ids)]
            gp.store.write(lambda tx, q=query, v=vectors: tx.run(q, rows=v, model="m-1", now=1))  # type: ignore[misc]
            gp.store.create_vector_index(label, 8)
    folder = gp.settings.data_dir / gp.store_id / "models" / "m-1"
    folder.mkdir(parents=True)
    (folder / "arrays.npz").write_bytes(os.urandom(5000))
    (folder.parent / "in_use").write_text('{"versions": ["m-1"]}')
    (folder.parent / ".half.part").write_text("not yet a model")


def picture(store: Store) -> dict[str, Any]:
    """Everything in a graph with names that do not depend on the engine's own ids."""

    def text(value: Any) -> str:
        return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)

    nodes, names = [], {}
    for row in store.read("backup/read_graph", most=10**9):
        name = text([sorted(row["labels"]), GraphReader(store).encoder.properties(row["properties"])])
        names[row["node"]] = name
        nodes.append(name)
    relationships = []
    for row in store.read("backup/read_graph", most=10**9):
        for type_, other, properties in row["leaving"]:
            shown = GraphReader(store).encoder.properties(properties)
            relationships.append(text([names[row["node"]], type_, names[other], shown]))
    return {"nodes": sorted(nodes), "relationships": sorted(relationships)}


@pytest.fixture
def filled(gp: GraphProfile) -> GraphProfile:
    fill(gp, train=True)
    gp.cypher(OWN, VALUES, read_only=False)
    return gp


def change_manifest(source: Path, target: Path, change: dict[str, Any]) -> None:
    """A copy of a backup, whole and sealed, that says something else of itself."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "manifest.json":
                content = json.dumps({**json.loads(content), **change}).encode()
            new.writestr(name, content)
        new.comment = b"0" * 64
    with target.open("r+b") as stream:
        seal(stream)


def test_everything_comes_back_on_the_same_engine(filled: GraphProfile, tmp_path: Path) -> None:
    before = picture(filled.store)
    digest = filled.digest()
    files = {p: p.read_bytes() for p in filled.settings.data_dir.rglob("*") if p.is_file() and is_ours(p)}
    seen: list[str] = []
    result = filled.backup(tmp_path / "b.zip", progress=lambda what, done, total: seen.append(what))
    assert (result.digest, result.attempts, result.schema_version) == (digest, 1, SCHEMA_VERSION)
    assert result.nodes == len(before["nodes"])
    assert result.relationships == len(before["relationships"])
    assert {"reading", "reading again"} <= set(seen)
    assert (tmp_path / "b.zip").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
    empty(filled.store)
    for path in files:
        path.unlink()
    settings = filled.settings
    restored = restore(filled.store, settings.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)
    assert (restored.nodes, restored.relationships, restored.digest) == (
        result.nodes,
        result.relationships,
        digest,
    )
    assert picture(filled.store) == before
    assert {p: p.read_bytes() for p in files} == files
    again = GraphProfile(filled.store, settings)
    assert (again.digest(), again.store_id) == (digest, result.store_id)
    assert again.load([event("e1", "ann", "i1", ts=1_700_000_000 + 3600)]).duplicates == 1
    assert again.update_tags(verify=True).max_relative_error is not None
    nearest = filled.store.vector_search("Item", [1.0, 1 / 16, *[0.5] * 6], 1)
    assert nearest[0][0] == "i0"
    assert nearest[0][1] == pytest.approx(1.0, abs=1e-6)
    unique = {(row["label"], tuple(row["properties"])) for row in filled.store.read("schema/show")}
    assert {("BatchPart", ("id",)), ("Retracted", ("type", "event_id"))} <= unique


def is_ours(path: Path) -> bool:
    """Whether a file of the data folder goes into a backup."""
    return not path.name.startswith(".") and ("models" in path.parts or "quarantine" in path.parts)


@pytest.mark.neo4j
@pytest.mark.parametrize("first", ["arcadedb", "neo4j"])
def test_a_backup_of_one_engine_is_restored_on_the_other(
    first: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server = request.getfixturevalue("neo4j_server")
    shared: Path = request.getfixturevalue("arcadedb")
    (tmp_path / "embedded").mkdir()
    (tmp_path / "embedded" / "store").symlink_to(shared / "store")
    on = {
        "arcadedb": Settings(data_dir=tmp_path / "embedded"),
        "neo4j": Settings(
            uri=server.uri,
            user=server.user,
            password=SecretStr(server.password),
            data_dir=tmp_path / "server",
        ),
    }
    second = "neo4j" if first == "arcadedb" else "arcadedb"
    for settings in on.values():
        with Store.open(settings) as store:
            empty(store)
    with GraphProfile(Store.open(on[first]), on[first]) as gp:
        fill(gp, train=True)
        gp.cypher(OWN, VALUES, read_only=False)
        there, quality = picture(gp.store), gp.quality()
        digest = gp.backup(tmp_path / "there.zip").digest
    with Store.open(on[second]) as store:
        restore(store, on[second].data_dir, tmp_path / "there.zip", SCHEMA_VERSION)
        assert picture(store) == there
    with GraphProfile(Store.open(on[second]), on[second]) as gp:
        assert gp.digest() == digest
        assert gp.quality() == quality
        gp.load([event("later", "cyd", "i1")])
        gp.update_tags()
        back = gp.backup(tmp_path / "back.zip")
        here = picture(gp.store)
    with Store.open(on[first]) as store:
        empty(store)
        shutil.rmtree(on[first].data_dir / back.store_id)
        restore(store, on[first].data_dir, tmp_path / "back.zip", SCHEMA_VERSION)
        assert picture(store) == here


def test_what_the_file_is(filled: GraphProfile, tmp_path: Path) -> None:
    filled.backup(tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as found:
        manifest = json.loads(found.read("manifest.json"))
        lines = [json.loads(line) for line in found.read("nodes/00001.jsonl").splitlines()]
        names = set(found.namelist())
    assert {"files/models/m-1/arrays.npz", "files/models/in_use"} <= names
    assert not any(".half" in name for name in names)
    assert sum(name.startswith("files/quarantine/") for name in names) == 1
    assert manifest["format"] == 1
    assert manifest["engine"] == filled.store.engine
    assert manifest["vector_indexes"] == {"User": 8, "Item": 8}
    [own] = [line["properties"] for line in lines if "my thing" in line["labels"]]
    assert own["bytes"] == {"bytes": "AP8="}
    assert own["zoned"]["datetime"].endswith("+02:00[Europe/Paris]")
    assert own["nan"] == {"float": "nan"}
    assert set(own["exact"]) == {"f32"}
    assert own["vector"] == VALUES["vector"]
    assert "none" not in own


def test_parts_and_nodes_with_many_relationships(
    filled: GraphProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphprofile.backup.archive.PART_BYTES", 500)
    monkeypatch.setattr(graph, "MOST_LEAVING", 3)
    monkeypatch.setattr("graphprofile.backup.restoring.NODES_PER_TRANSACTION", 3)
    monkeypatch.setattr("graphprofile.backup.restoring.RELATIONSHIPS_PER_TRANSACTION", 7)
    before = picture(filled.store)
    filled.backup(tmp_path / "b.zip")
    with Archive(tmp_path / "b.zip") as archive:
        assert len(archive.manifest["parts"]) > 10
    empty(filled.store)
    restore(filled.store, filled.settings.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)
    assert picture(filled.store) == before


def test_a_graph_that_changes_is_read_again(
    filled: GraphProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [2]
    reads = writing.digest

    def meanwhile(store: Store, vocabulary: Any) -> str:
        if left[0]:
            left[0] -= 1
            store.cypher("MATCH (u:User {id: 'ann'}) SET u.seen = $n", {"n": left[0]}, read_only=False)
        return reads(store, vocabulary)

    monkeypatch.setattr(writing, "digest", meanwhile)
    assert filled.backup(tmp_path / "b.zip").attempts == 3
    (tmp_path / "b.zip").unlink()
    left[0] = 100
    filled.cypher(
        "CREATE (:Batch {id: 'busy', state: 'running', started_at: $now})",
        {"now": int(time.time() * 1000)},
        read_only=False,
    )
    with pytest.raises(BackupError, match=r"changed while it was read, 3 times.*batch busy"):
        filled.backup(tmp_path / "b.zip")
    assert [path for path in tmp_path.iterdir() if "b.zip" in path.name] == []


def test_a_load_beside_a_backup(filled: GraphProfile, tmp_path: Path) -> None:
    """Whatever the backup catches is one moment: it restores, or it was refused."""
    script = (
        "import sys\nfrom graphprofile import GraphProfile\n"
        "with GraphProfile.open() as gp:\n"
        "    for n in range(6):\n"
        "        gp.load([{'event_id': f'b{n}-{k}', 'user_id': f'u{k % 7}', 'event_type': 'viewed',"
        " 'object_id': f'i{k % 5}', 'timestamp': 1700000000} for k in range(200)])\n"
    )
    settings = filled.settings
    environment = {**os.environ, "GRAPHPROFILE_DATA": str(settings.data_dir)}
    if settings.uri and settings.password:
        environment |= {
            "GRAPHPROFILE_URI": settings.uri,
            "GRAPHPROFILE_USER": settings.user,
            "GRAPHPROFILE_PASSWORD": settings.password.get_secret_value(),
        }
    refused: list[str] = []
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as load:
        while load.poll() is None:
            try:
                filled.backup(tmp_path / "b.zip")
            except BackupError as error:
                refused.append(error.message)
        assert load.returncode == 0
    assert all("changed while it was read" in message for message in refused)
    filled.backup(tmp_path / "b.zip")
    before = picture(filled.store)
    empty(filled.store)
    restore(filled.store, settings.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)
    assert picture(filled.store) == before


def test_only_an_empty_store_is_restored_into(filled: GraphProfile, tmp_path: Path) -> None:
    filled.backup(tmp_path / "b.zip")
    before = picture(filled.store)
    with pytest.raises(BackupError, match="is not empty") as caught:
        restore(filled.store, filled.settings.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)
    assert "--data" in (caught.value.hint or "")
    assert picture(filled.store) == before
    # Set up but without data counts as empty.
    empty(filled.store)
    GraphProfile(filled.store, filled.settings).init()
    restore(filled.store, filled.settings.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)
    assert picture(filled.store) == before


def test_files_in_the_way_are_left_alone(filled: GraphProfile, tmp_path: Path) -> None:
    filled.backup(tmp_path / "b.zip")
    empty(filled.store)
    path = filled.settings.data_dir / filled.store_id / "models" / "m-1" / "arrays.npz"
    path.write_bytes(b"another")
    with pytest.raises(BackupError, match=r"arrays\.npz: another file"):
        restore(filled.store, filled.settings.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)
    assert filled.cypher("MATCH (n) RETURN 1 LIMIT 1") == []
    assert path.read_bytes() == b"another"


def test_a_damaged_backup_writes_nothing(filled: GraphProfile, tmp_path: Path) -> None:
    filled.backup(tmp_path / "good.zip")
    empty(filled.store)
    good = (tmp_path / "good.zip").read_bytes()
    bad = tmp_path / "bad.zip"

    def refused(content: bytes) -> str:
        bad.write_bytes(content)
        with pytest.raises((BackupError, StoreMismatch)) as caught:
            restore(filled.store, filled.settings.data_dir, bad, SCHEMA_VERSION)
        assert caught.value.message.startswith(str(bad))
        return caught.value.message

    for size in (0, 1, 100, len(good) // 2, len(good) - 1):
        refused(good[:size])
    assert "cut off" in refused(good[: len(good) // 2])
    for place in (*range(0, len(good), len(good) // 40), 10, len(good) - 1):
        flipped = bytearray(good)
        flipped[place] ^= 0x10
        refused(bytes(flipped))
    assert "is no backup" in refused(b"event_id,user_id\n" * 100)
    with zipfile.ZipFile(bad, "w") as other:
        other.writestr("hello.txt", "hello")
    assert "is no backup" in refused(bad.read_bytes())
    for change, message in (
        ({"format": 2}, "format 2"),
        ({"schema_version": SCHEMA_VERSION + 1}, f"schema version {SCHEMA_VERSION + 1}"),
        ({"files": [{"name": "files/models/../../x", "bytes": 1, "sha256": ""}]}, "unknown file"),
        ({"parts": []}, "its parts are not those"),
    ):
        change_manifest(tmp_path / "good.zip", bad, change)
        assert message in refused(bad.read_bytes())
    assert filled.cypher("MATCH (n) RETURN 1 LIMIT 1") == []


def test_values_the_engine_has_no_place_for(filled: GraphProfile, tmp_path: Path) -> None:
    if filled.store.engine == "neo4j":
        pytest.skip("Neo4j does not let such values in")
    filled.cypher("CREATE (:Odd {mixed: [1, 'a'], nested: [[1], [2, 3]]})", read_only=False)
    before = picture(filled.store)
    filled.backup(tmp_path / "b.zip")
    with Archive(tmp_path / "b.zip") as archive:
        assert archive.manifest["values"] == ["list of lists", "mixed list"]
    empty(filled.store)
    restore(filled.store, filled.settings.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)
    assert picture(filled.store) == before


@pytest.mark.neo4j
def test_neo4j_refuses_values_it_has_no_place_for(filled: GraphProfile, tmp_path: Path) -> None:
    filled.backup(tmp_path / "b.zip")
    empty(filled.store)
    if filled.store.engine != "neo4j":
        return
    change_manifest(tmp_path / "b.zip", tmp_path / "c.zip", {"values": ["mixed list"]})
    with pytest.raises(BackupError, match="mixed list, which neo4j has no place for"):
        restore(filled.store, filled.settings.data_dir, tmp_path / "c.zip", SCHEMA_VERSION)
    assert filled.cypher("MATCH (n) RETURN 1 LIMIT 1") == []


def test_names_that_no_statement_can_hold_are_refused(gp: GraphProfile, tmp_path: Path) -> None:
    fill(gp)
    gp.cypher("CREATE (:`a``b`)-[:`c d`]->(:Fine)", read_only=False)
    gp.backup(tmp_path / "b.zip")
    before = picture(gp.store)
    empty(gp.store)
    restore(gp.store, gp.settings.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)
    assert picture(gp.store) == before


@pytest.mark.parametrize("moment", ["first node", "relationship", "verify", "end"])
def test_a_restore_that_is_killed_is_begun_anew(
    moment: str,
    filled: GraphProfile,
    store_env: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    filled.backup(tmp_path / "b.zip")
    before = picture(filled.store)
    empty(filled.store)
    script = f"""
import os
from graphprofile import GraphProfile
from graphprofile.backup import restore
import importlib
module = importlib.import_module("graphprofile.backup.restoring")
target = module._Restore
def die(*a, **k): os._exit(9)
moment = {moment!r}
if moment == "first node":
    module.NODES_PER_TRANSACTION = 3
    left = [2]
    old = target._write_nodes
    def some(self, nodes):
        left[0] -= 1
        old(self, nodes) if left[0] else die()
    target._write_nodes = some
else:
    setattr(target, {{"relationship": "_write_relationships", "verify": "verify", "end": "end"}}[moment], die)
GraphProfile.restore({str(tmp_path / "b.zip")!r})
"""
    done = subprocess.run([sys.executable, "-c", script], env=store_env, check=False)
    assert done.returncode == 9
    for name, value in store_env.items():
        if name.startswith("GRAPHPROFILE_"):
            monkeypatch.setenv(name, value)
    with pytest.raises(StoreMismatch, match=r"incomplete: the restore of b\.zip") as caught:
        GraphProfile.open()
    assert "graphprofile restore b.zip" in (caught.value.hint or "")
    for command in (["status"], ["load", "x.csv"], ["backup", str(tmp_path / "c.zip")], ["migrate"]):
        assert run(command) == 1
    GraphProfile.restore(tmp_path / "b.zip")
    assert picture(filled.store) == before
    with GraphProfile.open() as gp:
        assert gp.status()["store_id"]


def test_two_restores_do_not_mix(filled: GraphProfile, tmp_path: Path) -> None:
    """One that was taken for dead and comes back cannot write on."""
    filled.backup(tmp_path / "b.zip")
    before = picture(filled.store)
    empty(filled.store)
    path, data_dir = tmp_path / "b.zip", filled.settings.data_dir
    with Archive(path) as archive:
        slow = restoring._Restore(filled.store, archive, None)
        slow.claim()
        restore(filled.store, data_dir, path, SCHEMA_VERSION)
        with pytest.raises(StoreMismatch, match="took this store over"):
            slow.write()
        slow.record_properties = {"id": "graphprofile"}
        with pytest.raises(StoreMismatch, match="took this store over"):
            slow.end()
    assert picture(filled.store) == before


def test_a_living_restore_is_left_alone(filled: GraphProfile, tmp_path: Path) -> None:
    filled.backup(tmp_path / "b.zip")
    empty(filled.store)
    now = int(time.time() * 1000)
    filled.cypher(
        "CREATE (:Schema {id: 'graphprofile', restoring: 'x', restoring_from: 'other.zip', "
        "restoring_by: 'elsewhere:17:1:x', restoring_at: $now})",
        {"now": now},
        read_only=False,
    )
    with pytest.raises(StoreMismatch, match="being restored into this store by process 17 on elsewhere"):
        restore(filled.store, filled.settings.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)
    filled.cypher("MATCH (s:Schema) SET s.restoring_at = 1", read_only=False)
    restore(filled.store, filled.settings.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)


def test_foreign_writes_during_a_restore_are_found(
    filled: GraphProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.backup(tmp_path / "b.zip")
    empty(filled.store)
    finished = restoring._Restore.write

    def and_more(self: restoring._Restore) -> None:
        finished(self)
        self.store.cypher("CREATE (:Item {id: 'foreign'})", read_only=False)

    monkeypatch.setattr(restoring._Restore, "write", and_more)
    with pytest.raises(BackupError, match="not what the backup holds: 9 of 8 Item"):
        restore(filled.store, filled.settings.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)
    with pytest.raises(StoreMismatch, match="incomplete"):
        GraphProfile(filled.store, filled.settings)
    monkeypatch.undo()
    restore(filled.store, filled.settings.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)
    assert filled.cypher("MATCH (i:Item {id: 'foreign'}) RETURN 1") == []


def test_a_transaction_committed_without_an_answer_is_not_done_twice(
    filled: GraphProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.backup(tmp_path / "b.zip")
    before = picture(filled.store)
    empty(filled.store)
    once = Store.write

    def twice(self: Store, work: Callable[[Any], Any]) -> Any:
        first = once(self, work)
        again = once(self, work)
        return first if again is None else again

    with Archive(tmp_path / "b.zip") as archive:
        slow = restoring._Restore(filled.store, archive, None)
        slow.claim()
        monkeypatch.setattr(Store, "write", twice)
        slow.write()
        monkeypatch.undo()
        slow.verify()
        slow.end()
    assert picture(filled.store) == before


def test_an_empty_graph_has_nothing_to_back_up(gp: GraphProfile, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nothing to back up"):
        gp.backup(tmp_path / "b.zip")
    assert list(tmp_path.glob("*b.zip*")) == []


def test_wrong_targets_and_files_on_the_command_line(
    filled: GraphProfile,
    store_env: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in store_env.items():
        if name.startswith("GRAPHPROFILE_"):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def fails(*arguments: str) -> dict[str, Any]:
        assert run([*arguments, "--json"]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        error: dict[str, Any] = json.loads(err)["error"]
        return error

    (tmp_path / "events.csv").write_text("event_id\n1\n")
    (tmp_path / "folder").mkdir()
    assert "is a folder" in fails("backup", "folder")["message"]
    assert "no backup; it is left as it is" in fails("backup", "events.csv")["message"]
    assert (tmp_path / "events.csv").read_text() == "event_id\n1\n"
    assert "No such file" in fails("backup", "nowhere/b.zip")["message"]
    if os.path.exists("/dev/full"):
        assert fails("backup", "/dev/full")["code"] == "backup"
    assert run(["backup", "b.zip", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"file", "bytes", "nodes", "relationships", "digest", "seconds"} <= document.keys()
    first = (tmp_path / "b.zip").stat().st_ino
    assert run(["backup", "b.zip"]) == 0
    assert "nodes" in capsys.readouterr().out
    assert (tmp_path / "b.zip").stat().st_ino != first
    assert "not empty" in fails("restore", "b.zip")["message"]
    assert "no such file" in fails("restore", "nothing.zip")["message"]
    assert fails("restore", "folder")["code"] == "backup"
    assert "is no backup" in fails("restore", "events.csv")["message"]
    empty(filled.store)
    assert run(["restore", "b.zip", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["digest"] == filled.digest()
    assert run(["backup"]) == 2


@pytest.mark.parametrize("size", [0, 60_000])
def test_a_full_disk_leaves_nothing_behind(
    size: int, filled: GraphProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource
    import signal

    filled.cypher("CREATE (:Blob {b: $b})", {"b": os.urandom(200_000)}, read_only=False)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        with pytest.raises(BackupError, match="cannot be written"):
            filled.backup(tmp_path / "b.zip")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.iterdir() if "b.zip" in path.name] == []
