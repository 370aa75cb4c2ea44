"""``load --bulk`` from raw files beside the engine's own importer fed with ready data, in one run.

    python benchmarks/bulk.py --events 1000000 [--engine arcadedb|neo4j] [--neo4j-home HOME] [--turns 1] [--json]

Both end in the same nodes and events with the same constraints and indexes; starting the engine is not timed. The
peer gets what ``load --bulk`` has to find out first: unique events with their hashes, and the list of all nodes. For
Neo4j the jars are those of HOME, else those of the tests (``tests/neo4j_server.py``). Peaks of memory are the client's.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from generator import generate, sizes, write_csv

from graphprofile import GraphProfile, queries
from graphprofile.settings import Settings
from graphprofile.store import Store, embedded
from graphprofile.vocabulary import Vocabulary

ROWS = 50_000
BATCH = "20260131T235959-1a2b3c"
TYPES = Vocabulary().types


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=("arcadedb", "neo4j"), default="arcadedb")
    parser.add_argument("--neo4j-home", type=Path)
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--child", choices=("ours", "peer"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        steps = CHILDREN[arguments.engine, arguments.child](arguments)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(json.dumps({"steps": steps, "peak_mb": peak}))
        return 0
    results = measure(arguments)
    if arguments.json:
        print(json.dumps(results, indent=1))
        return 0
    print(f"{arguments.engine}, {arguments.events:,} events, {arguments.turns} turn(s)")
    for name in ("ours", "peer"):
        found = results[name]
        steps = ", ".join(f"{what} {seconds:.1f}" for what, seconds in found["steps"].items())
        print(
            f"  {found['method']:<44} {found['per_second']:>8,}/s {found['seconds']:>8.1f} s  ({steps})  "
            f"peak {found['peak_mb']} MB"
        )
    print(f"  ratio {results['ratio']:.2f}")
    return 0


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Both, turn by turn, each in a process of its own."""
    results: dict[str, Any] = {
        "engine": arguments.engine,
        "events": arguments.events,
        "turns": arguments.turns,
    }
    peers = {
        "arcadedb": "GraphBatch, ready data, then constraints",
        "neo4j": "import of ready CSV, then constraints",
    }
    for name, method in (("ours", "graphprofile load --bulk, raw CSV"), ("peer", peers[arguments.engine])):
        results[name] = {"method": method, "seconds": 0.0, "steps": {}, "peak_mb": 0}
    with tempfile.TemporaryDirectory() as root:
        source = Path(root, "events.csv")
        write_csv(source, arguments.events)
        for turn in range(arguments.turns):
            for name in ("ours", "peer") if turn % 2 == 0 else ("peer", "ours"):
                with tempfile.TemporaryDirectory(dir=root) as folder:
                    (Path(folder) / "events.csv").symlink_to(source)
                    said = child(name, arguments, folder)
                for what, seconds in said["steps"].items():
                    steps = results[name]["steps"]
                    steps[what] = round(steps.get(what, 0.0) + seconds, 2)
                    results[name]["seconds"] = round(results[name]["seconds"] + seconds, 2)
                results[name]["peak_mb"] = max(results[name]["peak_mb"], said["peak_mb"])
    for name in ("ours", "peer"):
        results[name]["per_second"] = round(arguments.events * arguments.turns / results[name]["seconds"])
    results["ratio"] = round(results["ours"]["per_second"] / results["peer"]["per_second"], 3)
    return results


def child(name: str, arguments: argparse.Namespace, folder: str) -> dict[str, Any]:
    """Run one side in a process of its own; its last line is what it says."""
    command = [sys.executable, __file__, "--child", name, "--folder", folder]
    command += ["--events", str(arguments.events), "--engine", arguments.engine]
    if arguments.neo4j_home:
        command += ["--neo4j-home", str(arguments.neo4j_home)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def ours_arcadedb(arguments: argparse.Namespace) -> dict[str, float]:
    """The bulk load of the embedded store, whose engine runs already."""
    settings = Settings(data_dir=arguments.folder / "data")
    embedded.up(settings)
    try:
        last = {"what": "", "at": time.perf_counter()}
        steps: dict[str, float] = {}

        def progress(what: str, done: int, total: int | None) -> None:
            now = time.perf_counter()
            steps[last["what"]] = steps.get(last["what"], 0.0) + now - last["at"]
            last.update(what=what, at=now)

        loaded = GraphProfile.load_bulk(
            arguments.folder / "events.csv", settings={"data_dir": settings.data_dir}, progress=progress
        )
        assert loaded.applied == arguments.events, loaded
        # What follows the last report, too.
        steps[last["what"]] = steps.get(last["what"], 0.0) + loaded.seconds - sum(steps.values())
    finally:
        embedded.down(settings)
    reading = steps.pop("events.csv", 0.0) + steps.pop("", 0.0)
    return {"read": reading, **steps}


def peer_arcadedb(arguments: argparse.Namespace) -> dict[str, float]:
    """The engine's batch API; rows are made outside of the time that counts."""
    import arcadedb_embedded as arcadedb
    import arcadedb_embedded.jvm as jvm

    # The engine writes its log below the current folder.
    os.chdir(arguments.folder)
    # With a gigabyte, which the store takes by default, this way of doing it dies at 5 million.
    jvm.start_jvm(heap_size="4g", jvm_args=["-XX:+UseParallelGC"])
    database = arcadedb.create_database(str(arguments.folder / "peer"))
    for statement in ("VERTEX TYPE User", "VERTEX TYPE Item", "EDGE TYPE PURCHASED"):
        database.command("sql", f"CREATE {statement}")
    users, items = seen(arguments.events)
    clock = Clock()
    with clock("write"):
        batch = database.graph_batch(expected_edge_count=arguments.events, batch_size=ROWS)
    places: dict[str, str] = {}
    for label, ids in (("User", users), ("Item", items)):
        for chosen in batched(ids, ROWS):
            rows = [node(label, id_) for id_ in chosen]
            with clock("write"):
                found = batch.create_vertices(label, rows)
            places.update(zip(chosen, found, strict=True))
    for rows in batched(ready(arguments.events), ROWS):
        starts = [places[row["user_id"]] for row in rows]
        stops = [places[row["object_id"]] for row in rows]
        properties = [{name: row[name] for name in EVENT} for row in rows]
        with clock("write"):
            batch.new_edges(starts, "PURCHASED", stops, properties)
    with clock("write"):
        batch.close()
    with clock("constraints and indexes"):
        for statement in schema():
            database.command("opencypher", statement)
    counted = database.query("opencypher", "MATCH (:User)-[e:PURCHASED]->(:Item) RETURN count(e) AS n")
    assert counted.to_list()[0]["n"] == arguments.events
    database.close()
    return clock.steps


def ours_neo4j(arguments: argparse.Namespace) -> dict[str, float]:
    """Files, import and, when the server has started, ``init``."""
    home = neo4j_home(arguments)
    started = time.perf_counter()
    loaded = GraphProfile.load_bulk(
        arguments.folder / "events.csv",
        out=arguments.folder / "files",
        neo4j_home=home,
        settings={"data_dir": arguments.folder / "data"},
    )
    assert loaded.applied == arguments.events, loaded
    steps = {"prepare and import": time.perf_counter() - started}
    with running(home) as settings, GraphProfile(Store.open(settings), settings) as gp:
        started = time.perf_counter()
        gp.init()
        steps["constraints and indexes"] = time.perf_counter() - started
        assert gp.cypher("MATCH ()-[e:PURCHASED]->() RETURN count(e) AS n") == [{"n": arguments.events}]
    return steps


def peer_neo4j(arguments: argparse.Namespace) -> dict[str, float]:
    """Neo4j's importer on files that lie ready, and the same constraints."""
    from graphprofile.ingest.bulk.importer import Importer

    home = neo4j_home(arguments)
    files = arguments.folder / "ready"
    files.mkdir()
    for label, ids in zip(("User", "Item"), seen(arguments.events), strict=True):
        with (files / f"{label}.csv").open("w", newline="") as stream:
            names = {"id": f"id:ID({label})", "rev": "rev:long"}
            writer = csv.writer(stream)
            writer.writerow([names.get(name, name) for name in node(label, "")])
            writer.writerows(node(label, id_).values() for id_ in ids)
    with (files / "events.csv").open("w", newline="") as stream:
        names = {"ts": "ts:long", "value": "value:double"}
        writer = csv.writer(stream)
        writer.writerow([":START_ID(User)", ":END_ID(Item)", *(names.get(name, name) for name in EVENT)])
        for row in ready(arguments.events):
            writer.writerow([row["user_id"], row["object_id"], *(row[name] for name in EVENT)])
    options = ["--nodes=User=User.csv", "--nodes=Item=Item.csv", "--relationships=PURCHASED=events.csv"]
    started = time.perf_counter()
    subprocess.run(
        [*Importer(home).command(), "database", "import", "full", "neo4j", *options],
        cwd=files,
        env={**os.environ, "NEO4J_HOME": str(home), "NEO4J_CONF": str(home / "conf")},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    steps = {"import": time.perf_counter() - started}
    with running(home) as settings, Store.open(settings) as store:
        started = time.perf_counter()
        store.create_schema(TYPES)
        steps["constraints and indexes"] = time.perf_counter() - started
        assert store.cypher("MATCH ()-[e:PURCHASED]->() RETURN count(e) AS n") == [{"n": arguments.events}]
    return steps


EVENT = ("event_id", "ts", "hash", "batch", "value")
CHILDREN = {
    ("arcadedb", "ours"): ours_arcadedb,
    ("arcadedb", "peer"): peer_arcadedb,
    ("neo4j", "ours"): ours_neo4j,
    ("neo4j", "peer"): peer_neo4j,
}


def ready(events: int) -> Iterator[dict[str, Any]]:
    """The events as they are stored."""
    for row in generate(events, ""):
        yield {**row, "hash": hashlib.sha256(row["event_id"].encode()).hexdigest()[:32], "batch": BATCH}


def node(label: str, id_: str) -> dict[str, Any]:
    """A node as it is stored."""
    return (
        {"id": id_, "rev": 1, "tags_due": id_, "embed_due": id_}
        if label == "User"
        else {"id": id_, "embed_due": id_}
    )


def batched(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Stretches of so many."""
    iterator = iter(rows)
    while stretch := list(islice(iterator, size)):
        yield stretch


def seen(events: int) -> tuple[list[str], list[str]]:
    """The users and items that the events name."""
    users, items = (bytearray(size) for size in sizes(events))
    for row in generate(events, ""):
        users[int(row["user_id"][1:])] = 1
        items[int(row["object_id"][1:])] = 1
    return [f"u{n}" for n, there in enumerate(users) if there], [
        f"i{n}" for n, there in enumerate(items) if there
    ]


def schema() -> list[str]:
    """The statements with which a store gets its constraints and indexes."""
    from graphprofile.store.schema import INDEXES, UNIQUE

    statements = [queries.text(name) for name in UNIQUE.values()]
    statements += [queries.text("schema/create_event_id", (event_type,)) for event_type in TYPES]
    return statements + [queries.text(name) for name in INDEXES.values()]


def neo4j_home(arguments: argparse.Namespace) -> Path:
    """A home that was never started, with the jars of the one named, else of the tests."""
    home: Path = arguments.folder / "home"
    (home / "conf").mkdir(parents=True)
    (home / "lib").symlink_to(arguments.neo4j_home / "lib" if arguments.neo4j_home else tests().jars())
    return home


def tests() -> Any:
    """``tests/neo4j_server.py``."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    import neo4j_server

    return neo4j_server


@contextmanager
def running(home: Path) -> Iterator[Settings]:
    """The server of a home, as settings."""
    server = tests().Neo4jServer.start(home)
    try:
        yield Settings(uri=server.uri, user=server.user, password=server.password)
    finally:
        server.stop()


class Clock:
    """Adds up what is done inside of it."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}

    def __call__(self, what: str) -> Clock:
        """Name what comes next."""
        self._what = what
        return self

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.steps[self._what] = self.steps.get(self._what, 0.0) + time.perf_counter() - self._started


if __name__ == "__main__":
    raise SystemExit(main())
