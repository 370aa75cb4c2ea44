"""Calls at a fixed rate, or one after the other, and what they took."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from graphprofile.errors import GraphProfileError

Call = Callable[[aiohttp.ClientSession, int], Awaitable[None]]


def getting(path: Callable[[], str]) -> Call:
    """Reads what a path gives; another one each time."""

    async def call(session: aiohttp.ClientSession, _: int) -> None:
        async with session.get(path()) as answer:
            await answer.read()
            answer.raise_for_status()

    return call


def posting(path: str, body: Callable[[int], Any], accept: str = "application/json") -> Call:
    """Posts a body of its number."""

    async def call(session: aiohttp.ClientSession, number: int) -> None:
        async with session.post(path, json=body(number), headers={"Accept": accept}) as answer:
            await answer.read()
            answer.raise_for_status()

    return call


async def paced(
    session: aiohttp.ClientSession, call: Call, rate: float, seconds: float, most: int | None = None
) -> dict[str, Any]:
    """Calls at a fixed rate, whether the ones before are answered or not: waiting counts (no omission).

    Args:
        session: Who calls.
        call: Is given its number.
        rate: Calls a second.
        seconds: How long.
        most: Calls under way at most. Time in which no further one was made is told (``held_seconds``).
    """
    took: list[float] = []
    errors: list[str] = []
    running: set[asyncio.Task[None]] = set()
    began = time.perf_counter()

    async def one(number: int, due: float) -> None:
        try:
            await call(session, number)
            took.append(time.perf_counter() - due)
        except (aiohttp.ClientError, GraphProfileError, TimeoutError) as error:
            errors.append(repr(error))

    held, number = 0.0, 0
    while (offset := held + number / rate) < seconds:
        await asyncio.sleep(max(0.0, began + offset - time.perf_counter()))
        if most is not None and len(running) >= most:
            full = time.perf_counter()
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            held += time.perf_counter() - full
            continue
        task = asyncio.create_task(one(number, began + offset))
        running.add(task)
        task.add_done_callback(running.discard)
        number += 1
    await asyncio.gather(*running)
    told: dict[str, Any] = {"errors": len(errors), **({"first_error": errors[0]} if errors else {})}
    if most is not None:
        told["held_seconds"] = round(held, 1)
    return {**figures(took), **told}


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
    """Median, 99th percentile (nearest rank), longest and count, in milliseconds."""
    ordered = sorted(took) or [float("nan")]
    return {
        "p50_ms": round(statistics.median(ordered) * 1000, 2),
        "p99_ms": round(ordered[math.ceil(0.99 * len(ordered)) - 1] * 1000, 2),
        "longest_ms": round(ordered[-1] * 1000, 2),
        "calls": len(took),
    }
