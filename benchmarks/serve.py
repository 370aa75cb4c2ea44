"""The HTTP service under load, beside the raw driver running the same statement in the same run.

    python benchmarks/serve.py [--engine arcadedb|neo4j] [--users 10000] [--items 50000] [--data DIR] [--json]

With ``--engine`` it goes to a store of its own, filled with generated users, items, events and vectors (the model
is hardly trained: what its vectors cost to read is the same); ``--data DIR`` keeps that store for the next run.
Without, it goes to the store that the environment names, in which a model has to be trained.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from pacing import figures, getting, one_by_one, paced, posting
from served import fill, opened, server
from shared_cli import finish, parser_of
from steady import steady

from graphprofile import GraphProfile, queries
from graphprofile.errors import EngineUnavailable, GraphProfileError

ARROW = "application/vnd.apache.arrow.stream"
ONE_EVENT_CALLS = 100


def main() -> int:
    """Measure and print."""
    parser = parser_of(__doc__)
    parser.add_argument("--engine", choices=("arcadedb", "neo4j"), help="a store of its own, on this engine")
    parser.add_argument("--users", type=int, default=10_000, help="of a store of its own")
    parser.add_argument("--items", type=int, default=50_000, help="of a store of its own")
    parser.add_argument("--data", type=Path, help="where a store of its own is kept")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument(
        "--recommend-rate",
        type=float,
        default=40.0,
        help="recommendations a second, and the driver once more",
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each is asked")
    parser.add_argument(
        "--events", type=int, default=20_000, help="posted in batches of --batch; 0 posts none"
    )
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--senders", type=int, default=4, help="of batches at once")
    parser.add_argument(
        "--steady", type=float, default=0.0, help="minutes of steady load instead of all that"
    )
    arguments = parser.parse_args()
    wrongs: list[str] = []

    def measured_once() -> dict[str, Any]:
        document = measured(arguments)
        wrongs.extend(document.get("steady", {}).get("wrongs", []))
        return document

    return finish(measured_once, show, arguments) or bool(wrongs)


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    rng = random.Random(arguments.seed)
    with contextlib.ExitStack() as stack:
        if arguments.engine is None:
            gp = stack.enter_context(GraphProfile.open())
        else:
            folder = arguments.data or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            gp = opened(arguments.engine, folder, stack)
            if not gp.cypher("MATCH (m:Model {in_use: true}) RETURN m.version AS version"):
                fill(gp, arguments.users, arguments.items, folder)
        found = gp.cypher("MATCH (u:User) WHERE u.top_tags IS NOT NULL RETURN u.id AS id LIMIT 5000")
        users = [row["id"] for row in found]
        if not users:
            raise EngineUnavailable(
                "The store holds no users with tags.", "Load, `tags` and `train` first, or use --engine."
            )
        items = gp.cypher("MATCH (i:Item) RETURN count(i) AS n")[0]["n"]
        document = {"engine": gp.store.engine, "users": len(users), "items": items, "rate": arguments.rate}
        with server(gp) as served:
            if arguments.steady:
                return document | {"steady": asyncio.run(steady(served, users, 60 * arguments.steady, rng))}
            document |= asyncio.run(read(gp, served.url, users, arguments, rng))
            if arguments.events:
                document["events"] = asyncio.run(write(gp, served.url, users, arguments, rng))
    return document


async def read(
    gp: GraphProfile, url: str, users: list[str], arguments: argparse.Namespace, rng: random.Random
) -> dict[str, Any]:
    """Reads at a fixed rate, and the driver beside them."""
    text = queries.text("profile/read_profile", gp.vocabulary.types, ())

    def raw(_: int) -> None:
        gp.cypher(text, {"user_id": rng.choice(users)})

    async def by_driver(_: aiohttp.ClientSession, number: int) -> None:
        await asyncio.to_thread(raw, number)

    thousand = rng.sample(users, min(1_000, len(users)))
    found = {}
    async with aiohttp.ClientSession(url) as session:
        profile = getting(lambda: f"/v1/profiles/{rng.choice(users)}")
        best = getting(lambda: f"/v1/profiles/{rng.choice(users)}/recommendations")
        for call, rate in ((by_driver, 20), (profile, 20), (best, arguments.recommend_rate)):
            await paced(session, call, rate, 5)
        found["driver"] = await paced(session, by_driver, arguments.rate, arguments.seconds)
        found["profile"] = await paced(session, profile, arguments.rate, arguments.seconds)
        # A machine that sleeps between calls answers later: the driver at the same rate tells by how much.
        for name, call in (("driver_at_that_rate", by_driver), ("recommend", best)):
            found[name] = await paced(session, call, arguments.recommend_rate, arguments.seconds)
        for name, accept in (("embeddings_json", "application/json"), ("embeddings_arrow", ARROW)):
            vectors = posting("/v1/embeddings", lambda _: {"ids": thousand}, accept)
            await one_by_one(session, vectors, 5)
            found[name] = await one_by_one(session, vectors, 20)
    return found


async def write(
    gp: GraphProfile, url: str, users: list[str], arguments: argparse.Namespace, rng: random.Random
) -> dict[str, Any]:
    """Events in batches beside the loader, and one event until it is read back."""
    items = [row["id"] for row in gp.cypher("MATCH (i:Item) RETURN i.id AS id LIMIT 5000")]
    mark = f"bench-{time.time_ns():x}"
    (kind,) = [row["t"] for row in gp.cypher("MATCH (:User)-[e]->(:Item) RETURN type(e) AS t LIMIT 1")]
    name = gp.vocabulary.name_of[kind]

    def event(number: int) -> dict[str, Any]:
        return {
            "event_id": f"{mark}-{number}",
            "user_id": rng.choice(users),
            "event_type": name,
            "object_id": rng.choice(items),
            "timestamp": 1_700_000_000_000 + number,
        }

    half = [event(number) for number in range(arguments.events)]
    started = time.perf_counter()
    gp.load(half)
    loader = arguments.events / (time.perf_counter() - started)
    rows = [event(arguments.events + number) for number in range(arguments.events)]
    batches = [rows[at : at + arguments.batch] for at in range(0, len(rows), arguments.batch)]
    async with aiohttp.ClientSession(url) as session:
        post = posting("/v1/events", lambda number: batches[number])
        started = time.perf_counter()
        took = await one_by_one(session, post, len(batches), arguments.senders)
        posted = len(rows) / (time.perf_counter() - started)
        waits = []
        for number in range(ONE_EVENT_CALLS):
            one = event(2 * arguments.events + number)
            before = time.perf_counter()
            async with session.post("/v1/events", json=one) as answer:
                (verdict,) = (await answer.json())["events"]
            async with session.get(f"/v1/profiles/{one['user_id']}") as answer:
                embedding = (await answer.json())["embedding"]
            waits.append(time.perf_counter() - before)
            if verdict["outcome"] not in ("accepted", "late") or embedding["status"] != "fresh":
                raise GraphProfileError(f"{verdict} {embedding}")
    return {
        "loader_per_second": round(loader),
        "posted_per_second": round(posted),
        "share": round(posted / loader, 2),
        "batch": took,
        "read_your_write": figures(waits),
    }


def show(document: dict[str, Any]) -> None:
    """For people."""
    for name, value in document.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    raise SystemExit(main())
