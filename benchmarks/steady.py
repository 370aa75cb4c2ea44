"""Steady load at half of what a server can do: memory stays flat, and nothing goes wrong."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import aiohttp
import numpy as np
import psutil
from pacing import Call, getting, one_by_one, paced, posting
from served import Served

SAMPLE_SECONDS = 2.0
CALLS_AT_FIRST = 200
SENDERS = 4
MOST_RUNNING = 64
"""Calls under way at most: on a machine that others use as well, what was half the maximum can become more than all."""
WARM_UP = 0.3
"""The part of the time in which memory may grow: caches and pools are filled."""
MOST_GROWTH_MB = 64.0
"""Between the end of the warm-up and the end, by the slope of the samples."""


async def steady(served: Served, users: list[str], seconds: float, rng: random.Random) -> dict[str, Any]:
    """Eight reads of profiles, one recommendation and one post out of ten calls, at half the measured maximum.

    Returns:
        The rate, times, memory, and what went wrong: ``wrongs`` is empty where all went well.
    """
    mark = f"steady-{time.time_ns():x}"
    profile = getting(lambda: f"/v1/profiles/{rng.choice(users)}")
    best = getting(lambda: f"/v1/profiles/{rng.choice(users)}/recommendations")
    post = posting("/v1/events", lambda number: _event(f"{mark}-{number}", rng.choice(users), rng))
    calls: list[Call] = [*[profile] * 8, best, post]

    async def mixed(session: aiohttp.ClientSession, number: int) -> None:
        await calls[number % len(calls)](session, number)

    async def further(session: aiohttp.ClientSession, number: int) -> None:
        # Numbers go on from the first calls, so that no event is sent twice.
        await mixed(session, CALLS_AT_FIRST + number)

    samples: list[tuple[float, float]] = []
    async with aiohttp.ClientSession(served.url) as session:
        began = time.perf_counter()
        await one_by_one(session, mixed, CALLS_AT_FIRST, SENDERS)
        rate = CALLS_AT_FIRST / (time.perf_counter() - began) / 2
        watching = asyncio.create_task(_watch(served.pid, samples))
        try:
            found = await paced(session, further, rate, seconds, MOST_RUNNING)
        finally:
            watching.cancel()
    growth = grown(samples)
    wrongs = [f"{found['errors']} errors, the first: {found['first_error']}"] if found["errors"] else []
    if growth > MOST_GROWTH_MB:
        wrongs.append(f"memory grows: {growth:.0f} MB after the warm-up, {MOST_GROWTH_MB:g} are allowed")
    first, middle, last = (samples[at][1] for at in (0, len(samples) // 2, -1))
    memory = {"first_mb": first, "middle_mb": middle, "last_mb": last, "growth_mb": round(growth, 1)}
    return {"per_second": round(rate, 1), **found, **memory, "wrongs": wrongs}


def grown(samples: list[tuple[float, float]]) -> float:
    """MB that memory grew by after the warm-up, by the slope of a line through (second, MB) samples."""
    start = samples[0][0] + WARM_UP * (samples[-1][0] - samples[0][0])
    at, size = np.array([pair for pair in samples if pair[0] >= start]).T
    if len(at) < 3:
        return 0.0
    return float(np.polyfit(at - at[0], size, 1)[0] * (at[-1] - at[0]))


async def _watch(pid: int, samples: list[tuple[float, float]]) -> None:
    process = psutil.Process(pid)
    while True:
        samples.append((time.perf_counter(), round(process.memory_info().rss / 2**20, 1)))
        await asyncio.sleep(SAMPLE_SECONDS)


def _event(event_id: str, user: str, rng: random.Random) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "user_id": user,
        "event_type": "purchased",
        "object_id": f"i{rng.randrange(1_000)}",
        "timestamp": 1_700_000_000_000 + rng.randrange(10**9),
    }
