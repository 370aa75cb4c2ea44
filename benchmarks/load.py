"""Loading beside the driver's plain MERGE loop, in one run on one store, and the export of the training graph.

    python benchmarks/load.py --events 100000 [--data DIR] [--json]

Goes to ``GRAPHPROFILE_URI`` or to an embedded store of its own; refuses a store that is not empty.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from generator import ROWS, generate, write_csv

from graphprofile import GraphProfile
from graphprofile.export import training_graph

MERGE = """
UNWIND $rows AS r
MERGE (u:User {id: r.user_id})
MERGE (o:Item {id: r.object_id})
MERGE (u)-[e:READ {event_id: r.event_id}]->(o)
ON CREATE SET e.ts = r.ts, e.value = r.value
"""
WARM = 20_000
PARTS = 5


def merge_loop(gp: GraphProfile, events: int, prefix: str = "m", seed: int = 1) -> float:
    """The plain loop: one MERGE statement a transaction of 10,000 rows. Returns seconds."""
    started = time.perf_counter()
    rows: list[dict[str, Any]] = []
    for row in generate(events, prefix, seed):
        rows.append(row)
        if len(rows) == ROWS:
            gp.store.cypher(MERGE, {"rows": rows}, read_only=False)
            rows = []
    if rows:
        gp.store.cypher(MERGE, {"rows": rows}, read_only=False)
    return time.perf_counter() - started


def measure(gp: GraphProfile, events: int, folder: Path) -> list[dict[str, Any]]:
    """All figures of one run."""
    gp.init()
    # Both have compiled their plans and warmed the engine before anything is timed.
    write_csv(folder / "warm.csv", WARM, "w")
    gp.load(folder / "warm.csv")
    merge_loop(gp, WARM, "x")
    results = []

    def note(method: str, seconds: float, n: int = events) -> None:
        results.append(
            {
                "method": method,
                "events": n,
                "seconds": round(seconds, 2),
                "per_second": round(n / seconds),
                "client_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )

    # Turn by turn, so that neither always meets the smaller store or the warmer cache.
    part = max(1, events // PARTS)
    seconds = dict.fromkeys(("new", "again", "merge"), 0.0)
    for turn in range(PARTS):
        path = folder / f"events{turn}.csv"
        write_csv(path, part, f"a{turn}", seed=turn)
        loaded = gp.load(path)
        assert loaded.applied == part, loaded
        seconds["new"] += loaded.seconds
        seconds["merge"] += merge_loop(gp, part, f"m{turn}", seed=turn)
        again = gp.load(path)
        assert again.duplicates == part, again
        seconds["again"] += again.seconds
    note("graphprofile load, new", seconds["new"], part * PARTS)
    note("driver MERGE loop, new", seconds["merge"], part * PARTS)
    note("graphprofile load, again", seconds["again"], part * PARTS)
    tags = gp.update_tags(full=True)
    note("tags --full (no tags on items)", tags.seconds, part * PARTS)
    started = time.perf_counter()
    graph = training_graph(gp.store, gp.vocabulary)
    note("export of the training graph", time.perf_counter() - started, graph.num_events)
    return results


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, GraphProfile.open(data_dir=Path(folder) / "data") as gp:
        if gp.cypher("MATCH (n) RETURN 1 LIMIT 1"):
            print("The store is not empty: point GRAPHPROFILE_URI at an empty one.", file=sys.stderr)
            return 2
        results = measure(gp, arguments.events, Path(folder))
        engine = gp.store.engine
    if arguments.json:
        print(json.dumps({"engine": engine, "results": results}, indent=1))
        return 0
    print(f"{engine}, {arguments.events:,} events")
    for row in results:
        print(
            f"  {row['method']:<32} {row['per_second']:>9,}/s {row['seconds']:>8.2f} s   "
            f"client peak {row['client_peak_mb']} MB"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
