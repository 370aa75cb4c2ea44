"""Events whose users and items follow power laws: what the loading benchmarks read."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 10_000
T0 = 1_600_000_000_000


def sizes(events: int) -> tuple[int, int]:
    """A tenth as many users as events, a twentieth as many items."""
    return max(10, events // 10), max(10, events // 20)


def generate(
    events: int, prefix: str, seed: int = 1, *, among: tuple[int, int] | None = None
) -> Iterator[dict[str, Any]]:
    """The events in order, as dicts; ``among`` so many users and items."""
    rng = np.random.default_rng(seed)
    users, items = among or sizes(events)
    for start in range(0, events, ROWS):
        n = min(ROWS, events - start)
        user = (users * rng.random(n) ** 2.5).astype(int)
        item = (items * rng.random(n) ** 2.5).astype(int)
        ts = T0 + (rng.random(n) * 3e10).astype(int)
        value = np.round(rng.random(n) * 100, 2)
        for i in range(n):
            yield {
                "event_id": f"{prefix}e{start + i}",
                "user_id": f"{prefix}u{user[i]}",
                "object_id": f"{prefix}i{item[i]}",
                "ts": int(ts[i]),
                "value": float(value[i]),
            }


def write_csv(path: Path, events: int, prefix: str = "", seed: int = 1) -> None:
    """The generated events as a file in generic columns."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["event_id", "user_id", "event_type", "object_id", "timestamp", "value"])
        for row in generate(events, prefix, seed):
            writer.writerow(
                [row["event_id"], row["user_id"], "purchased", row["object_id"], row["ts"], row["value"]]
            )
