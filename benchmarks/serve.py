"""The HTTP service under load, beside the raw driver running the same statement in the same run."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
from shared_cli import finish, parser_of

from graphprofile import GraphProfile, queries
from graphprofile.errors import EngineUnavailable, GraphProfileError

Call = Callable[[aiohttp.ClientSession, int], Awaitable[None]]
ARROW = "application/vnd.apache.arrow.stream"


def main() -> int:
    """Measure and print."""
    parser = parser_of(__doc__)
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each is asked")
    parser.add_argument(
        "--events", type=int, default=20_000, help="posted in batches of --batch; 0 posts none"
    )
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--senders", type=int, default=4, help="of batches at once")
    parser.add_argument("--steady", type=float, default=0.0, help="seconds of steady load at half --rate")
    arguments = parser.parse_args()
    return finish(lambda: measured(arguments), show, arguments)


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """All figures, of the store that the environment names; a model has to be trained in it."""
    rng = random.Random(arguments.seed)
    with GraphProfile.open() as gp:
        found = gp.cypher("MATCH (u:User) WHERE u.top_tags IS NOT NULL RETURN u.id AS id LIMIT 5000")
        users = [row["id"] for row in found]
        if not users:
            raise EngineUnavailable("The store holds no users with tags.", "Load, `tags` and `train` first.")
        document: dict[str, Any] = {"engine": gp.store.engine, "users": len(users), "rate": arguments.rate}
        with server() as url:
            document |= asyncio.run(read(gp, url, users, arguments, rng))
            if arguments.events:
                document["events"] = asyncio.run(write(gp, url, users, arguments, rng))
            if arguments.steady:
                document["steady"] = asyncio.run(steady(url, users, arguments, rng))
    return document


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A server in a process of its own, as people run it."""
    port = random.randint(20_000, 40_000)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("graphprofile")), "serve", "--port", str(port)],
            stdout=log,
            stderr=log,
            env={**os.environ},
        )
        url = f"http://127.0.0.1:{port}"
        try:
            import httpx

            for _ in range(120):
                with contextlib.suppress(httpx.TransportError):
                    if httpx.get(f"{url}/readyz").status_code == 200:
                        break
                time.sleep(0.5)
            else:
                log.seek(0)
                raise EngineUnavailable("The server did not start.", log.read().decode()[-500:])
            time.sleep(3)
            yield url
        finally:
            process.terminate()
            process.wait(60)


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
        await paced(session, _get(lambda: f"/v1/profiles/{rng.choice(users)}"), 20, 3)
        await paced(session, by_driver, 20, 3)
        found["driver"] = await paced(session, by_driver, arguments.rate, arguments.seconds)
        profile = _get(lambda: f"/v1/profiles/{rng.choice(users)}")
        found["profile"] = await paced(session, profile, arguments.rate, arguments.seconds)
        best = _get(lambda: f"/v1/profiles/{rng.choice(users)}/recommendations")
        found["recommend"] = await paced(session, best, 5, arguments.seconds)
        for name, accept in (("embeddings_json", "application/json"), ("embeddings_arrow", ARROW)):
            vectors = _post("/v1/embeddings", lambda _: {"ids": thousand}, accept)
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
        post = _post("/v1/events", lambda number: batches[number], "application/json")
        started = time.perf_counter()
        took = await one_by_one(session, post, len(batches), arguments.senders)
        posted = len(rows) / (time.perf_counter() - started)
        waits = []
        for number in range(20):
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


async def steady(
    url: str, users: list[str], arguments: argparse.Namespace, rng: random.Random
) -> dict[str, Any]:
    """Long reading at half the rate."""
    async with aiohttp.ClientSession(url) as session:
        profile = _get(lambda: f"/v1/profiles/{rng.choice(users)}")
        return await paced(session, profile, arguments.rate / 2, arguments.steady)


def _get(path: Callable[[], str]) -> Call:
    async def call(session: aiohttp.ClientSession, _: int) -> None:
        async with session.get(path()) as answer:
            await answer.read()
            answer.raise_for_status()

    return call


def _post(path: str, body: Callable[[int], Any], accept: str) -> Call:
    async def call(session: aiohttp.ClientSession, number: int) -> None:
        async with session.post(path, json=body(number), headers={"Accept": accept}) as answer:
            await answer.read()
            answer.raise_for_status()

    return call


async def paced(session: aiohttp.ClientSession, call: Call, rate: float, seconds: float) -> dict[str, Any]:
    """Calls at a fixed rate, whether the ones before are answered or not: waiting counts (no omission)."""
    took: list[float] = []
    errors: list[str] = []
    began = time.perf_counter()

    async def one(number: int) -> None:
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        try:
            await call(session, number)
            took.append(time.perf_counter() - due)
        except (aiohttp.ClientError, GraphProfileError) as error:
            errors.append(str(error))

    await asyncio.gather(*(one(number) for number in range(int(rate * seconds))))
    return {**figures(took), "errors": len(errors)}


async def one_by_one(
    session: aiohttp.ClientSession, call: Call, count: int, senders: int = 1
) -> dict[str, Any]:
    """Calls one after the other, of so many senders at once."""
    took: list[float] = []
    numbers = iter(range(count))

    async def sender() -> None:
        for number in numbers:
            started = time.perf_counter()
            await call(session, number)
            took.append(time.perf_counter() - started)

    await asyncio.gather(*(sender() for _ in range(senders)))
    return figures(took)


def figures(took: list[float]) -> dict[str, Any]:
    """Median, 99th percentile and count, in milliseconds."""
    ordered = sorted(took) or [float("nan")]
    return {
        "p50_ms": round(statistics.median(ordered) * 1000, 2),
        "p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000, 2),
        "calls": len(took),
    }


def show(document: dict[str, Any]) -> None:
    """For people."""
    for name, value in document.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    raise SystemExit(main())
