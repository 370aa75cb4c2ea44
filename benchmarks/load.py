"""Loading beside the driver's plain loops and the engine's own importer, in one run, and what follows a load.

    python benchmarks/load.py --events 100000 [--engine arcadedb|neo4j] [--no-bulk] [--no-peers] [--json]

Goes to ``GRAPHPROFILE_URI``, else to a store of its own: embedded, or with ``--engine neo4j`` a server that it starts
as the tests do. Refuses a store that is not empty. The loops and ours work turn by turn on the same store; rows of the
loops are made before the clock starts. Bulk loads go to stores of their own (``benchmarks/bulk.py``).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from generator import ROWS, generate, write_csv

from graphprofile import GraphProfile
from graphprofile.export import training_graph
from graphprofile.memory import share_arenas

HERE = Path(__file__).parent
MERGE = """
UNWIND $rows AS r
MERGE (u:User {id: r.user_id})
MERGE (o:Item {id: r.object_id})
MERGE (u)-[e:READ {event_id: r.event_id}]->(o)
ON CREATE SET e.ts = r.ts, e.value = r.value
"""
LOOK_UP = {
    "neo4j": "UNWIND $rows AS r MATCH ()-[e:PURCHASED {event_id: r.event_id}]->() "
    "RETURN e.event_id AS id, e.hash AS hash",
    "arcadedb": "UNWIND $rows AS r MATCH (:User {id: r.user_id})-[e:PURCHASED]->() "
    "WHERE e.event_id = r.event_id RETURN e.event_id AS id, e.hash AS hash",
}
TITLES = {
    "new": "graphprofile load, new",
    "merge": "driver MERGE loop, new",
    "again": "graphprofile load, again",
    "look_up": "driver look-up loop",
    "unsent": "graphprofile load, file seen whole",
}
PEERS = ("merge", "look_up")
WARM = 60_000
PARTS = 5
MORE = 100_000
"""Loaded last, whatever the store holds by then: the same batches into stores of any size."""
MORE_TITLE = f"graphprofile load, {MORE:,} more"


def loop(gp: GraphProfile, statement: str, events: int, prefix: str, seed: int) -> float:
    """One statement a transaction of 10,000 rows; seconds in the driver."""
    seconds = 0.0
    for rows in batches(events, prefix, seed):
        started = time.perf_counter()
        gp.store.cypher(statement, {"rows": rows}, read_only="MERGE" not in statement)
        seconds += time.perf_counter() - started
    return seconds


def _peak_mb() -> int:
    """Of this process, up to now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def batches(events: int, prefix: str, seed: int) -> Iterator[list[dict[str, Any]]]:
    """The rows of a part, 10,000 at a time."""
    rows: list[dict[str, Any]] = []
    for row in generate(events, prefix, seed):
        rows.append(row)
        if len(rows) == ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def measure(gp: GraphProfile, events: int, folder: Path, *, peers: bool = True) -> list[dict[str, Any]]:
    """All figures of one store, those of the driver's loops if asked."""
    gp.init()
    look_up = LOOK_UP[gp.store.engine]
    # All have compiled their plans and warmed the engine before anything is timed.
    write_csv(folder / "warm.csv", WARM, "w")
    gp.load(folder / "warm.csv")
    gp.load(folder / "warm.csv", resend=True)
    loop(gp, MERGE, WARM, "x", 1)
    loop(gp, look_up, WARM, "w", 1)
    results: list[dict[str, Any]] = []
    peaks: dict[str, int] = {}

    def note(method: str, seconds: float, n: int) -> None:
        results.append(
            {
                "method": method,
                "events": n,
                "seconds": round(seconds, 2),
                "per_second": round(n / seconds),
                "client_peak_mb": peaks.get(method, _peak_mb()),
            }
        )

    # Turn by turn, so that neither always meets the smaller store or the warmer cache.
    part = max(1, events // PARTS)
    seconds = {name: 0.0 for name in TITLES if peers or name not in PEERS}
    for turn in range(PARTS):
        path, prefix = folder / "events.csv", f"a{turn}"
        write_csv(path, part, prefix, seed=turn)
        for what in ("new", "merge") if turn % 2 == 0 else ("merge", "new"):
            if what not in seconds:
                continue
            if what == "merge":
                seconds["merge"] += loop(gp, MERGE, part, f"m{turn}", turn)
            else:
                loaded = gp.load(path)
                assert loaded.applied == part, loaded
                seconds["new"] += loaded.seconds
        for what in ("again", "look_up") if turn % 2 == 0 else ("look_up", "again"):
            if what not in seconds:
                continue
            if what == "look_up":
                seconds["look_up"] += loop(gp, look_up, part, prefix, turn)
            else:
                again = gp.load(path, resend=True)
                assert again.duplicates == part, again
                seconds["again"] += again.seconds
        started = time.perf_counter()
        assert gp.load(path).unsent == part
        seconds["unsent"] += time.perf_counter() - started
    total = part * PARTS
    peaks.update(dict.fromkeys(TITLES.values(), _peak_mb()))
    for name, took in seconds.items():
        note(TITLES[name], took, total)
    tags = gp.update_tags(full=True)
    note("tags --full (no tags on items)", tags.seconds, total)
    started = time.perf_counter()
    graph = training_graph(gp.store, gp.vocabulary)
    note("export of the training graph", time.perf_counter() - started, graph.num_events)
    took = 0.0
    for turn in range(PARTS):
        write_csv(folder / "more.csv", MORE // PARTS, f"z{turn}", seed=turn)
        took += gp.load(folder / "more.csv").seconds
    note(MORE_TITLE, took, MORE)
    return results


def measure_bulk(engine: str, events: int) -> list[dict[str, Any]]:
    """Bulk loads of as many events, beside the engine's importer fed with ready files."""
    command = [sys.executable, str(HERE / "bulk.py"), "--events", str(events), "--engine", engine, "--json"]
    said = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    return [
        {
            "method": said[side]["method"],
            "events": events,
            "seconds": said[side]["seconds"],
            "per_second": said[side]["per_second"],
            "client_peak_mb": said[side]["peak_mb"],
        }
        for side in ("ours", "peer")
    ]


def opened(engine: str | None, folder: Path, stack: ExitStack) -> GraphProfile:
    """The store to measure on."""
    if engine == "neo4j" and not os.environ.get("GRAPHPROFILE_URI"):
        sys.path.insert(0, str(HERE.parent / "tests"))
        from neo4j_server import Neo4jServer

        server = Neo4jServer.start(folder / "neo4j", heap="2g", page_cache="2g")
        stack.callback(server.stop)
        return stack.enter_context(
            GraphProfile.open(
                server.uri, user=server.user, password=server.password, data_dir=folder / "data"
            )
        )
    return stack.enter_context(GraphProfile.open(data_dir=folder / "data"))


def ratios(results: list[dict[str, Any]]) -> dict[str, float]:
    """What is asked of loading, as rates side by side."""
    rate = {row["method"]: row["per_second"] for row in results}
    pairs = {
        "new beside the MERGE loop": (TITLES["new"], TITLES["merge"]),
        "again beside the look-up loop": (TITLES["again"], TITLES["look_up"]),
    }
    found = {name: round(rate[ours] / rate[peer], 2) for name, (ours, peer) in pairs.items() if peer in rate}
    if "graphprofile load --bulk, raw CSV" in rate:
        ours, peer = (row["per_second"] for row in results[-2:])
        found["bulk beside the engine's importer"] = round(ours / peer, 2)
    return found


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument(
        "--engine", choices=("arcadedb", "neo4j"), help="without GRAPHPROFILE_URI: which one to start"
    )
    parser.add_argument("--no-bulk", action="store_true", help="leave bulk loads out")
    parser.add_argument("--no-peers", action="store_true", help="leave the driver's loops out")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    arguments = parser.parse_args()
    # As the command line does.
    share_arenas()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        gp = opened(arguments.engine, Path(folder), stack)
        if arguments.engine not in (None, gp.store.engine):
            print(f"GRAPHPROFILE_URI leads to {gp.store.engine}.", file=sys.stderr)
            return 2
        if gp.cypher("MATCH (n) RETURN 1 LIMIT 1"):
            print("The store is not empty: point GRAPHPROFILE_URI at an empty one.", file=sys.stderr)
            return 2
        engine = gp.store.engine
        results = measure(gp, arguments.events, Path(folder), peers=not arguments.no_peers)
    if not arguments.no_bulk:
        results += measure_bulk(engine, arguments.events)
    found = ratios(results)
    if arguments.json:
        print(json.dumps({"engine": engine, "results": results, "ratios": found}, indent=1))
        return 0
    print(f"{engine}, {arguments.events:,} events")
    for row in results:
        print(
            f"  {row['method']:<40} {row['per_second']:>9,}/s {row['seconds']:>8.2f} s   "
            f"client peak {row['client_peak_mb']} MB"
        )
    for name, ratio in found.items():
        print(f"  {name}: {ratio:.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
