"""A bulk load ends in the graph that an ordinary load of the same sources makes, and everything goes on from there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from conftest import ENGINES, empty
from neo4j_server import Neo4jServer, Unavailable, jars
from pydantic import SecretStr

from graphprofile import GraphProfile
from graphprofile.cli.app import run
from graphprofile.errors import EngineError, SourceError, StoreMismatch, UsageError
from graphprofile.ingest.claims import unpack
from graphprofile.settings import Settings
from graphprofile.store import Store, embedded

TIMES = 1_700_000_000_000
EVENTS = 60_000


def dirty(folder: Path) -> list[Path]:
    """Sources with everything that may go wrong, and everything that is hard to write into a file."""
    events: list[dict[str, Any]] = []
    for number in range(300):
        row: dict[str, Any] = {
            "event_id": f"e{number}",
            "user_id": f"u{number % 17}",
            "event_type": ("viewed", "purchased", "rated", "liked")[number % 4],
            "object_id": f"i{number % 23}",
            "timestamp": TIMES + number * 1000,
        }
        if number % 4 in (1, 2):
            row["value"] = float(number % 5)
        if number % 7 == 0:
            row |= {"object_kind": "content", "object_id": f"c{number % 5}"}
        if number % 5 == 0:
            row["note"] = ('say "hi"', "two\nlines", "back\\slash, comma", "Zürich 東京 😀", "\tcr\rhere'")[
                number // 5 % 5
            ]
        if number % 6 == 0:
            row["amount"] = (3, 3.5, "three", True, [1, 2], [0.5], ["a;b", 'q"x', '"all"', " y"], 1e-7)[
                number // 6 % 8
            ]
        events.append(row)
    events += [dict(events[3]), dict(events[150])]
    events += [{**events[10], "user_id": "other", "object_id": "nobody"}, {**events[11], "value": 4.25}]
    events += [{**events[20], "event_type": "unheard_of"}, {**events[21], "timestamp": "soon"}]
    events += [
        {"event_id": f"f{n}", "user_id": f"u{n}", "event_type": "followed", "object_id": f"v{n}", "object_kind": "user",
         "timestamp": 1000 * n}
        for n in range(5)
    ]  # fmt: skip
    events += [{"user_id": "u1", "event_type": "viewed", "object_id": "i1", "timestamp": "1921-03"}] * 3
    items: list[dict[str, Any]] = [
        {
            "item_id": f"i{n}",
            "title": f"Title {n}",
            "tags": ["genre:Prose", f"tag {n % 3}"],
            "updated_at": 1000 + n,
        }
        for n in range(20)
    ]
    items += [
        {"item_id": "i3", "title": "Late", "updated_at": 5000, "year": 1999, "ratio": 0.1, "old": False},
        {"item_id": "i3", "title": "Early", "updated_at": 1, "year": "unknown", "tags": []},
        {
            "item_id": "i4",
            "title": 'A "quoted"\nand broken, title',
            "words": ["x", "y z"],
            "numbers": [1, 2**40],
        },
        {
            "item_id": "i5",
            "tags": [{"name": "Poetry", "kind": "genre", "weight": 0.5}],
            "updated_at": 9000,
            "rank": 5,
        },
        {"item_id": "i6", "rank": 2.5, "updated_at": 1},
        {"item_id": "i7", "rank": "first", "updated_at": 1},
        {"item_id": "i8", "tags": "genre:Prose;genre:Lyric"},
        {"item_id": "i8", "title": "Title 8", "updated_at": 1008, "tags": ["genre:Prose", "tag 2"]},
        {"item_id": "", "title": "nobody"},
        {"item_id": "unseen", "title": "Never touched"},
    ]
    contents = [
        {"content_id": f"c{n}", "text": "line\nline " * n, "tags": ["topic:News"]} for n in range(1, 4)
    ]
    users = [{"user_id": f"u{n}", "born": 1900 + n, "city": "Paris" if n % 2 else None} for n in range(5)]
    users += [{"user_id": "never", "city": "Rome"}, {"user_id": "v1", "city": "Oslo"}]
    tags = [
        {"tag": "genre:Lyric", "part_of": "genre:Poetry"},
        {"tag": "genre:Poetry", "part_of": ["genre:Literature"], "note": "verse"},
        {"tag": "genre:Literature", "part_of": "genre:Lyric"},
        {"tag": "genre:Prose", "part_of": "genre:Literature", "updated_at": 10},
        {"tag": "genre:Prose", "part_of": "genre:Books", "updated_at": 20},
    ]
    withdrawn = [
        {"event_type": "viewed", "event_id": "w", "user_id": "u1", "object_id": "i1", "timestamp": TIMES},
        {"event_type": "viewed", "event_id": "e4", "retracted": True},
        {"event_type": "viewed", "event_id": "e4", "retracted": True},
        {"event_type": "liked", "event_id": "e7", "retracted": True},
        {"event_type": "viewed", "event_id": "never came", "retracted": True},
    ]
    paths = []
    files = {"withdrawn": withdrawn, "events": events, "items": items, "content": contents, "users": users}
    for name, rows in {**files, "tags": tags}.items():
        paths.append(folder / f"{name}.jsonl")
        paths[-1].write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    paths.append(folder / "more.csv")
    paths[-1].write_text(
        "event_id,user_id,event_type,object_id,timestamp,value\n"
        "e5,u5,purchased,i5,2023-11-14T22:13:25Z,0\n"
        "g1,u5,purchased,i5,2023-11-14,1.5\n"
        "g1,u5,purchased,i5,2023-11-14,1.5\n"
        "g2,u5,purchased\n"
    )
    return paths


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return dirty(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def expected(sources: list[Path], arcadedb: Path) -> dict[str, Any]:
    """Counts, digest and source properties after an ordinary load."""
    with GraphProfile.open(data_dir=arcadedb) as gp:
        empty(gp.store)
    with GraphProfile.open(data_dir=arcadedb) as gp:
        loaded = gp.load(*sources)
        gp.update_tags()
        return {"counts": counts(loaded), "digest": gp.digest(), "types": types(gp)}


@pytest.fixture(scope="module", params=ENGINES)
def bulk_store(
    request: pytest.FixtureRequest, sources: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[GraphProfile, Any]]:
    """A store that was loaded in bulk, and what the load said; the tests go on from each other."""
    engine_name, tmp_path = str(request.param), tmp_path_factory.mktemp("bulk")
    if engine_name == "arcadedb":
        loaded = GraphProfile.load_bulk(*sources, settings={"data_dir": tmp_path / "data"})
        with GraphProfile.open(data_dir=tmp_path / "data") as gp:
            yield gp, loaded
        return
    home = neo4j_home(tmp_path)
    loaded = GraphProfile.load_bulk(*sources, neo4j_home=home, settings={"data_dir": tmp_path / "data"})
    with neo4j(home) as settings:
        settings = settings.model_copy(update={"data_dir": tmp_path / "data"})
        with GraphProfile(Store.open(settings), settings) as gp:
            yield gp, loaded


def neo4j_home(folder: Path) -> Path:
    """A Neo4j that was never started."""
    home = folder / "neo4j home"
    home.mkdir()
    try:
        (home / "lib").symlink_to(jars())
    except Unavailable as error:
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    return home


@contextmanager
def neo4j(home: Path) -> Iterator[Settings]:
    server = Neo4jServer.start(home)
    try:
        yield Settings(uri=server.uri, user=server.user, password=SecretStr(server.password))
    finally:
        server.stop()


def counts(loaded: Any) -> dict[str, int]:
    names = ("read", "applied", "duplicates", "conflicts", "quarantined", "late")
    return {name: getattr(loaded, name) for name in names}


def types(gp: GraphProfile) -> dict[str, Any]:
    """Python types of all properties, by node or event."""
    rows = gp.cypher(
        "MATCH (n) WHERE n:User OR n:Item OR n:Content OR n:Tag RETURN properties(n) AS p, labels(n)[0] AS l"
    )
    found = {f"{row['l']} {row['p'].get('id', row['p'].get('name'))}": row["p"] for row in rows}
    rows = gp.cypher(
        "MATCH (:User)-[e]->(o) WHERE e.event_id IS NOT NULL RETURN type(e) AS t, properties(e) AS p, o.id AS o"
    )
    found |= {f"{row['t']} {row['p']['event_id']}": {**row["p"], "to": row["o"]} for row in rows}
    volatile = ("rev", "tags_rev", "batch", "described_by", "top_tags")
    volatile += ("interest_kinds", "interest_sums", "interests_at")
    return {
        key: {name: (value, kind(value)) for name, value in properties.items() if name not in volatile}
        for key, properties in found.items()
    }


def kind(value: Any) -> str:
    return f"list of {kind(value[0])}" if isinstance(value, list) else type(value).__name__


def test_the_graph_is_that_of_an_ordinary_load(
    bulk_store: tuple[GraphProfile, Any], expected: dict[str, Any], sources: list[Path]
) -> None:
    gp, loaded = bulk_store
    assert counts(loaded) == expected["counts"]
    assert loaded.conflicts == 3
    parts = [row["p"] for row in gp.cypher("MATCH (p:BatchPart) RETURN properties(p) AS p")]
    batch = gp.cypher("MATCH (b:Batch) RETURN properties(b) AS b")[0]["b"]
    assert batch["state"] == "done"
    for name, number in counts(loaded).items():
        assert batch[name] == number
        assert sum(part[name] for part in parts) == number
    assert batch["newest_ts"] == max(part["newest_ts"] for part in parts if "newest_ts" in part)
    claimed = [unpack(part["claims"]) for part in parts if part["claims"]]
    applied = sum(len(of["ids"]) for claims in claimed for of in claims.get("applied", {}).values())
    stored = gp.cypher("MATCH (:User)-[e]->() WHERE e.event_id IS NOT NULL RETURN count(e) AS n")[0]["n"]
    assert applied == stored
    withdrawn = gp.cypher("MATCH (r:Retracted) RETURN properties(r) AS p ORDER BY r.event_id")
    assert [row["p"]["event_id"] for row in withdrawn] == ["e4", "e7", "never came"]
    assert [row["p"].get("hash") is not None for row in withdrawn] == [True, True, False]

    result = gp.update_tags(verify=True)
    assert result.max_relative_error is not None
    assert result.max_relative_error < 1e-9
    assert gp.digest() == expected["digest"]
    found = types(gp)
    assert {key: found[key] for key in found if found[key] != expected["types"].get(key)} == {}
    both = (
        "MATCH (u:User)-[e]->(o) WHERE e.event_id IS NOT NULL RETURN count(e) AS n",
        "MATCH (o)<-[e]-(u:User) WHERE e.event_id IS NOT NULL RETURN count(e) AS n",
        "MATCH (o) WHERE o:Item OR o:Content OR o:User "
        "OPTIONAL MATCH (o)<-[e]-(:User) WHERE e.event_id IS NOT NULL RETURN count(e) AS n",
    )
    assert {gp.cypher(text)[0]["n"] for text in both} == {stored}

    again = gp.load(*sources)
    assert again.applied == 0
    assert again.duplicates == loaded.applied + loaded.duplicates
    assert (again.conflicts, again.quarantined) == (loaded.conflicts, loaded.quarantined)
    gp.update_tags()
    assert gp.digest() == expected["digest"]


def test_constraints_hold_and_loading_goes_on(bulk_store: tuple[GraphProfile, Any], tmp_path: Path) -> None:
    gp, _ = bulk_store
    gp.update_tags()
    more = {
        "event_id": "h1",
        "user_id": "u1",
        "event_type": "viewed",
        "object_id": "i1",
        "timestamp": TIMES + 10**6,
    }
    assert gp.load([more]).applied == 1
    assert gp.update_tags().users == 1
    unique = {
        (row["labelsOrTypes"][0], tuple(row["properties"]))
        for row in gp.cypher("SHOW INDEXES")
        if row["owningConstraint"] is not None
    }
    assert {
        ("User", ("id",)),
        ("Item", ("id",)),
        ("PURCHASED", ("event_id",)),
        ("Tag", ("kind", "name")),
    } <= unique
    for text in (
        "CREATE (:User {id: 'u1'})",
        "CREATE (:Tag {kind: 'genre', name: 'Prose'})",
        "MATCH (u:User {id: 'u1'}), (i:Item {id: 'i2'}) CREATE (u)-[:PURCHASED {event_id: 'e1'}]->(i)",
    ):
        with pytest.raises(EngineError):
            gp.cypher(text, read_only=False)
    plan = (
        str(gp.cypher("EXPLAIN MATCH (n:User {id: 'u1'}) RETURN n.rev"))
        if gp.store.engine == "arcadedb"
        else ""
    )
    assert gp.profile("u1").events["viewed"]
    assert "FullScan" not in plan


def test_a_bulk_batch_can_be_undone(bulk_store: tuple[GraphProfile, Any]) -> None:
    gp, loaded = bulk_store
    later = [
        row["id"]
        for row in gp.cypher("MATCH (b:Batch) WHERE b.id > $b RETURN b.id AS id", {"b": loaded.batch})
    ]
    for batch in [*later, loaded.batch]:
        gp.undo(batch)
    left = gp.cypher("MATCH (n) WHERE n:User OR n:Item OR n:Content OR n:Tag OR n:Retracted RETURN n")
    assert left == []


def test_an_initialised_store_keeps_its_id_and_a_full_one_is_refused(
    tmp_path: Path, sources: list[Path]
) -> None:
    with GraphProfile.open(data_dir=tmp_path) as gp:
        store_id = gp.init().store_id
        with pytest.raises(UsageError, match="Others use the store"):
            GraphProfile.load_bulk(sources[0], settings={"data_dir": tmp_path})
    with pytest.raises(SourceError):
        GraphProfile.load_bulk(tmp_path / "nosuch.csv", settings={"data_dir": tmp_path})
    GraphProfile.load_bulk(sources[0], settings={"data_dir": tmp_path})
    with pytest.raises(UsageError, match="not empty"):
        GraphProfile.load_bulk(*sources, settings={"data_dir": tmp_path})
    with GraphProfile.open(data_dir=tmp_path) as gp:
        assert gp.store_id == store_id
        assert gp.cypher("MATCH (:User)-[e:VIEWED]->() RETURN count(e) AS n") == [{"n": 1}]
    assert not (tmp_path / "bulk").exists()


def test_killed_in_the_middle_it_says_so_and_starts_over(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    with events.open("w") as stream:
        stream.write("event_id,user_id,event_type,object_id,timestamp\n")
        stream.writelines(f"e{n},u{n % 5000},viewed,i{n % 3000},{TIMES + n}\n" for n in range(EVENTS))
    data = tmp_path / "data"
    program = "import sys; from graphprofile.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", program, "load", "--bulk", str(events), "--data", str(data)]
    for victim in ("owner", "client"):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        mark = data / "store" / "bulk-unfinished.json"
        began, deadline = time.time(), time.monotonic() + 60
        while not (mark.exists() and mark.stat().st_mtime > began) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.4)
        owner = json.loads((data / "store" / "owner.json").read_text())["pid"]
        os.kill(owner if victim == "owner" else process.pid, signal.SIGKILL)
        process.wait(30)
        assert mark.exists()
        with pytest.raises(StoreMismatch, match="bulk"):
            GraphProfile.open(data_dir=data)
    loaded = GraphProfile.load_bulk(events, settings={"data_dir": data})
    assert loaded.applied == EVENTS
    os.kill(embedded.status(Settings(data_dir=data)).pid or owner_of(data), signal.SIGKILL)
    with GraphProfile.open(data_dir=data) as gp:
        assert gp.cypher("MATCH (:User)-[e:VIEWED]->(:Item) RETURN count(e) AS n") == [{"n": EVENTS}]


def owner_of(data: Path) -> int:
    """The owner of a store, started where there is none."""
    channel = embedded.connect(Settings(data_dir=data))
    try:
        return channel.endpoint.pid
    finally:
        channel.abandon()


def test_files_for_neo4j_need_no_server(
    sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "files"
    arguments = ["load", "--bulk", str(out), *map(str, sources)]
    assert run([*arguments, "--uri", "neo4j://127.0.0.1:1", "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["next"][0].endswith("neo4j-admin database import full neo4j @import.args")
    assert (out / "import.args").exists()
    assert run(arguments) == 2
    assert "not empty" in capsys.readouterr().err
    bad = tmp_path / "bad.csv"
    bad.write_text("")
    assert run(["load", "--bulk", str(tmp_path / "new"), str(bad)]) == 1
    assert not (tmp_path / "new").exists()
    capsys.readouterr()
    for wrong in (
        ["load", "--bulk", "", "--dry-run", str(sources[0])],
        ["load", "--neo4j-home", "x", str(sources[0])],
        ["load", "--bulk", "--undo", "x"],
        ["load", "--neo4j-home", str(tmp_path), str(sources[0]), "--bulk"],
        ["load", "--uri", "neo4j://127.0.0.1:1", str(sources[0]), "--bulk"],
    ):
        assert run(wrong) == 2, wrong
        assert "Error" in capsys.readouterr().err
