"""What ``durable`` costs on the embedded engine: the same events loaded with it and without, turn by turn.

    python benchmarks/durability.py --events 5000 [--rounds 10] [--batch 0] [--json]

``--batch N`` loads N events at a time, as a trickle does, where a commit weighs most. Each store is its own, in a
folder below ``--folder`` (a temporary one by default): put it on the disk whose flush you want to measure.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from load import generate

from graphprofile import GraphProfile

WARM = 5_000


def rows(events: int, prefix: str) -> Iterator[dict[str, Any]]:
    """Events in generic columns."""
    for row in generate(events, prefix):
        yield {
            "event_id": row["event_id"],
            "user_id": row["user_id"],
            "event_type": "purchased",
            "object_id": row["object_id"],
            "timestamp": row["ts"],
            "value": row["value"],
        }


def seconds_to_load(gp: GraphProfile, events: int, prefix: str, batch: int) -> float:
    """Load new events, all at once or ``batch`` at a time."""
    incoming = rows(events, prefix)
    seconds = 0.0
    while part := list(itertools.islice(incoming, batch or events)):
        loaded = gp.load(part)
        assert loaded.applied == len(part), loaded
        seconds += loaded.seconds
    return seconds


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--batch", type=int, default=0, help="events a load, 0 for all at once")
    parser.add_argument("--folder", help="where the stores are to lie")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    arguments = parser.parse_args()
    names = {False: "not durable (default)", True: "durable"}
    seconds: dict[bool, list[float]] = {False: [], True: []}
    with (
        tempfile.TemporaryDirectory(dir=arguments.folder) as folder,
        GraphProfile.open(data_dir=Path(folder) / "no", durable=False) as fast,
        GraphProfile.open(data_dir=Path(folder) / "yes", durable=True) as safe,
    ):
        stores = {False: fast, True: safe}
        for gp in stores.values():
            seconds_to_load(gp, WARM, "w", 0)
        # Turn by turn, and each first as often: neither has the quieter machine.
        for turn in range(arguments.rounds):
            for durable in (False, True) if turn % 2 == 0 else (True, False):
                seconds[durable].append(
                    seconds_to_load(stores[durable], arguments.events, f"t{turn}", arguments.batch)
                )
    results = [
        {
            "store": names[durable],
            "events": arguments.events * arguments.rounds,
            "seconds": round(sum(found), 2),
            "per_second": round(arguments.events * arguments.rounds / sum(found)),
            "median_seconds_a_round": round(median(found), 3),
        }
        for durable, found in seconds.items()
    ]
    # Per turn, so that what else the machine does at a time weighs on both alike.
    ratios = sorted(yes / no - 1 for yes, no in zip(seconds[True], seconds[False], strict=True))
    low, cost, high = (ratios[round(part * (len(ratios) - 1))] for part in (0.25, 0.5, 0.75))
    if arguments.json:
        document = {"results": results, "cost": cost, "quartiles": [low, high], "rounds": seconds}
        print(json.dumps(document, indent=1))
        return 0
    size = f"{arguments.batch:,} at a time" if arguments.batch else "at once"
    print(f"{arguments.rounds} rounds of {arguments.events:,} events, {size}")
    for row in results:
        print(f"  {row['store']:<22} {row['per_second']:>9,}/s {row['seconds']:>8.2f} s")
    print(f"  durable takes {cost:+.0%} time in the median round (quartiles {low:+.0%} and {high:+.0%})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
