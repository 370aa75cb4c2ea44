"""Seconds of each insight on a graph that is no toy: once cold, then the middle of three.

    python benchmarks/insights.py [--events 200000] [--engine arcadedb|neo4j] [--only NAMES] [--data DIR] [--json]

The shop it makes up has a tenth as many users as events, items with tags of two kinds (one a hierarchy), articles,
follows, and popularity that follows a power law; people come in visits, in which one event leads to the next. It goes
to a store of its own, embedded or with ``--engine neo4j`` on a server that this starts as the tests do; ``--data DIR``
keeps an embedded one, and takes it as it is where it holds something already.
"""

from __future__ import annotations

import csv
import resource
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from generator import T0
from load import opened
from shared_cli import finish, parser_of, take_names

from graphprofile import GraphProfile
from graphprofile.insights import Insight, list_insights
from graphprofile.memory import share_arenas

DAY = 86_400_000
DAYS = 365
TIMES = 3
TOPICS, GROUPS, FIELDS, BRANDS = 300, 40, 8, 60
# What follows what within a visit; a visit begins with the first and ends by chance.
STEPS = ("viewed", "read", "added_to_cart", "purchased", "liked", "returned", "followed")
CHANCES = np.array(
    [
        [0.52, 0.12, 0.20, 0.03, 0.10, 0.00, 0.03],
        [0.55, 0.25, 0.05, 0.03, 0.07, 0.00, 0.05],
        [0.30, 0.05, 0.15, 0.45, 0.05, 0.00, 0.00],
        [0.60, 0.15, 0.05, 0.10, 0.05, 0.05, 0.00],
        [0.60, 0.15, 0.10, 0.05, 0.05, 0.00, 0.05],
        [0.80, 0.10, 0.05, 0.03, 0.02, 0.00, 0.00],
        [0.60, 0.20, 0.05, 0.00, 0.05, 0.00, 0.10],
    ]
)
GOES_ON = 0.75


def sizes(events: int) -> dict[str, int]:
    """How many of everything."""
    return {"users": max(20, events // 10), "items": max(20, events // 20), "content": max(10, events // 50)}


def write_events(path: Path, events: int, seed: int) -> None:
    """Visits of people, at hours at which people are awake."""
    rng = np.random.default_rng(seed)
    there = sizes(events)
    joined = rng.random(there["users"]) ** 0.7 * DAYS * 0.9
    ends = np.cumsum(CHANCES, axis=1)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["event_id", "user_id", "event_type", "object_id", "object_kind", "timestamp", "value"]
        )
        number = 0
        while number < events:
            user = int(there["users"] * rng.random() ** 2.5)
            day = int(joined[user] + rng.exponential(40))
            ts = T0 + min(day, DAYS - 1) * DAY + int(np.clip(rng.normal(15, 4), 0, 23.9) * 3_600_000)
            step = 0
            while number < events:
                name = STEPS[step]
                if name == "followed":
                    kind, thing = "user", f"u{int(there['users'] * rng.random() ** 2.5)}"
                elif name == "read":
                    kind, thing = "content", f"c{int(there['content'] * rng.random() ** 2.5)}"
                else:
                    kind, thing = "item", f"i{int(there['items'] * rng.random() ** 2.5)}"
                value = round(float(rng.lognormal(3, 1)), 2) if name in ("purchased", "returned") else ""
                writer.writerow([f"e{number}", f"u{user}", name, thing, kind, ts, value])
                number += 1
                ts += 1 + int(rng.exponential(120_000))
                if rng.random() > GOES_ON:
                    break
                step = min(int(np.searchsorted(ends[step], rng.random())), len(STEPS) - 1)


def write_descriptions(folder: Path, events: int, seed: int) -> list[Path]:
    """Items and content with tags, and the hierarchy of the tags."""
    rng = np.random.default_rng(seed)
    there = sizes(events)
    paths = []
    for kind, prefix in (("items", "i"), ("content", "c")):
        paths.append(folder / f"{kind}.csv")
        with paths[-1].open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["item_id" if kind == "items" else "content_id", "title", "tags"])
            for thing in range(there[kind]):
                tags = {f"topic:t{int(TOPICS * rng.random() ** 1.5)}" for _ in range(3)}
                if kind == "items":
                    tags.add(f"brand:b{int(BRANDS * rng.random() ** 1.5)}")
                writer.writerow([f"{prefix}{thing}", f"Thing {prefix}{thing}", ";".join(sorted(tags))])
    paths.append(folder / "tags.csv")
    with paths[-1].open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["tag", "part_of"])
        writer.writerows([f"topic:t{n}", f"topic:group{n % GROUPS}"] for n in range(TOPICS))
        writer.writerows([f"topic:group{n}", f"topic:field{n % FIELDS}"] for n in range(GROUPS))
    return paths


def fill(gp: GraphProfile, events: int, folder: Path, seed: int) -> None:
    """Load the shop and compute its interests."""
    paths = write_descriptions(folder, events, seed)
    for path, kind in zip(paths, ("items", "content", "tags"), strict=True):
        gp.load(path, kind=kind)
    write_events(folder / "events.csv", events, seed)
    gp.load(folder / "events.csv")
    gp.update_tags(full=True)


EXAMPLES = {"item": "i0", "user": "u0", "other": "u1", "tag": "topic:t0", "other_tag": "topic:t1"}


def timed(gp: GraphProfile, insight: Insight) -> dict[str, Any]:
    """One insight with its defaults."""
    given = {field.name: EXAMPLES[field.name] for field in insight.parameters if field.default is None}
    seconds = []
    for _ in range(1 + TIMES):
        started = time.perf_counter()
        rows = gp.insights(insight.name, **given)
        seconds.append(time.perf_counter() - started)
    return {
        "insight": insight.name,
        "group": insight.group,
        "kind": insight.kind,
        "rows": len(rows),
        "first_seconds": round(seconds[0], 2),
        "seconds": round(statistics.median(seconds[1:]), 2),
        "client_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> int:
    """Run and print."""
    insights = {insight.name: insight for insight in list_insights()}
    parser = parser_of(__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--engine", choices=("arcadedb", "neo4j"), help="which one to start")
    parser.add_argument("--data", type=Path, help="folder of an embedded store to keep")
    take_names(parser, "--only", list(insights))
    arguments = parser.parse_args()
    share_arenas()

    def measured() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
            folder = Path(scratch)
            gp = (
                stack.enter_context(GraphProfile.open(data_dir=arguments.data))
                if arguments.data
                else opened(arguments.engine, folder, stack)
            )
            if not gp.cypher("MATCH (u:User) RETURN u.id AS id LIMIT 1"):
                fill(gp, arguments.events, folder, arguments.seed)
            return {
                "engine": gp.store.engine,
                "events": sum(
                    row["events"]
                    for row in gp.cypher(
                        "MATCH (:User)-[e]->(o) WHERE e.event_id IS NOT NULL RETURN count(e) AS events"
                    )
                ),
                "results": [timed(gp, insights[name]) for name in arguments.only],
            }

    def show(document: dict[str, Any]) -> None:
        print(f"{document['engine']}, {document['events']:,} events")
        for row in document["results"]:
            print(
                f"  {row['insight']:<28} {row['group']:<12} {row['seconds']:>8.2f} s   first "
                f"{row['first_seconds']:>7.2f} s   {row['rows']:>5} rows   client peak {row['client_peak_mb']} MB"
            )

    return finish(measured, show, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
