"""A batch into a graph that holds much already, until tags and vectors of everybody touched are fresh again.

    python benchmarks/refresh.py [--events 1000000] [--batch 10000] [--engine arcadedb|neo4j] [--json]

Two graphs in one run, with as many events: one with a tenth as many users as events, one with ten times those users,
which shows whether a refresh grows with the graph or with the batch. Each goes to a store of its own,
embedded or with ``--engine neo4j`` on a server that this starts as the tests do. All happens in one process that keeps
running, as a service would: the first batch warms it, the figures are the middle of five more.

Beside it: how many vectors a second a new model's write-back takes, and how long the vector indexes take to be made.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from generator import generate, sizes
from load import opened

from graphprofile import GraphProfile
from graphprofile.export import training_graph
from graphprofile.graphsage.config import Choices, TrainConfig
from graphprofile.graphsage.loop import Run
from graphprofile.graphsage.train import threads

TAGS, TAGS_PER_ITEM = 400, 3
BATCHES = 5
HEADER = ["event_id", "user_id", "event_type", "object_id", "timestamp", "value"]


def write_events(path: Path, events: int, among: tuple[int, int], name: str, seed: int) -> set[str]:
    """Events of the given users and items; returns the users."""
    users = set()
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for row in generate(events, "", seed, among=among):
            users.add(row["user_id"])
            event_id = f"{name}-{row['event_id']}"
            writer.writerow(
                [event_id, row["user_id"], "purchased", row["object_id"], row["ts"], row["value"]]
            )
    return users


def write_items(path: Path, items: int) -> None:
    """Every item with some tags, the first ones commoner than the last."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["item_id", "tags"])
        for item in range(items):
            tags = {
                f"t{int(TAGS * ((item * (7 + turn) % 9973) / 9973) ** 2)}" for turn in range(TAGS_PER_ITEM)
            }
            writer.writerow([f"i{item}", ";".join(sorted(tags))])


def untrained(gp: GraphProfile) -> str:
    """A version whose vectors are the closed-form start: how good they are does not matter here."""
    graph = training_graph(gp.store, gp.vocabulary)
    config = TrainConfig(dim=gp.settings.dimensions)
    with threads(config, graph):
        model = Run(graph, config, sequence=False).model(Choices(epochs=1, sequence=False))
    return gp.models.registry.save(model, metrics={}, graph={"events": graph.num_events})


def refreshed(gp: GraphProfile, path: Path) -> dict[str, float]:
    """Seconds of each part of one update, all of which are done."""
    started = time.perf_counter()
    done = gp.update(path)
    seconds = time.perf_counter() - started
    assert done.embed is not None
    return {
        "load": done.load.seconds,
        "tags": done.tags.seconds,
        "vectors": done.embed.seconds,
        "all": seconds,
        "users": done.embed.users,
    }


def measure(
    gp: GraphProfile, events: int, batch: int, among: tuple[int, int], folder: Path
) -> dict[str, Any]:
    """The figures of one graph."""
    write_items(folder / "items.csv", among[1])
    write_events(folder / "events.csv", events, among, "base", seed=1)
    gp.load(folder / "items.csv")
    gp.load(folder / "events.csv")
    gp.update_tags()
    version = untrained(gp)
    started = time.perf_counter()
    gp.models.promote(version)
    first = time.perf_counter() - started
    again = gp.embed(all=True)
    rounds = []
    for number in range(BATCHES + 1):
        path = folder / "batch.csv"
        touched = write_events(path, batch, among, f"b{number}", seed=100 + number)
        found = refreshed(gp, path)
        assert found["users"] == len(touched), (found, len(touched))
        assert gp.status()["users_awaiting_tags"] == 0
        rounds.append(found)
    middle = {name: round(statistics.median(r[name] for r in rounds[1:]), 2) for name in rounds[0]}
    return {
        "users": among[0],
        "items": among[1],
        "events": events,
        "batch": batch,
        "users_touched": int(middle.pop("users")),
        "seconds": middle,
        "slowest": round(max(r["all"] for r in rounds[1:]), 2),
        "first_model_seconds": round(first, 2),
        "vectors": again.users + again.items,
        "vectors_per_second": round((again.users + again.items) / again.seconds),
    }


def line(row: dict[str, Any]) -> str:
    """One graph's figures."""
    parts = ", ".join(f"{name} {row['seconds'][name]:.1f}" for name in ("load", "tags", "vectors"))
    return (
        f"  {row['users']:>9,} users  {row['seconds']['all']:6.2f} s until {row['users_touched']:,} users are fresh "
        f"({parts}), slowest {row['slowest']:.1f} s; {row['vectors']:,} vectors of a first model "
        f"{row['first_model_seconds']:.0f} s, again {row['vectors_per_second']:,}/s"
    )


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--engine", choices=("arcadedb", "neo4j"), default="neo4j")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    users, items = sizes(arguments.events)
    results = []
    if not arguments.json:
        print(
            f"{arguments.engine}: batches of {arguments.batch:,} events into {arguments.events:,}", flush=True
        )
    for among in ((users, items), (10 * users, items)):
        with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
            gp = opened(arguments.engine, Path(name), stack)
            gp.init()
            results.append(measure(gp, arguments.events, arguments.batch, among, Path(name)))
        if not arguments.json:
            print(line(results[-1]), flush=True)
    few, many = (row["seconds"]["all"] for row in results)
    ratio = round(many / few, 2)
    if arguments.json:
        print(json.dumps({"engine": arguments.engine, "results": results, "ten_times_the_users": ratio}))
    else:
        print(f"  ten times the users take {ratio:.2f} times as long")
    return 0


if __name__ == "__main__":
    sys.exit(main())
