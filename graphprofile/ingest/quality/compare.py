"""A batch beside the batches before it that came the same way: how far its distributions are from theirs."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphprofile.ingest.quality.histogram import tenths
from graphprofile.ingest.quality.record import Record
from graphprofile.ingest.recipes import Recipe
from graphprofile.stability import band, by_chance, changes, psi

if TYPE_CHECKING:
    from graphprofile.store import Store

BATCHES = 10
"""So many earlier ones are looked at."""
MIN_EVENTS = 100
"""Fewer events on either side say nothing of a distribution."""
LATEST = 1 << 62


@dataclass(frozen=True)
class Earlier:
    """A finished batch with its record."""

    batch: str
    source: str
    started_at: int
    record: Record


def way_of(recipe: Recipe) -> str:
    """What tells the sort of source: batches of one loader under one mapping are compared with each other."""
    return hashlib.sha256(repr([recipe.loader, recipe.mapping]).encode()).hexdigest()[:16]


def read_earlier(store: Store, way: str, before: int = LATEST, limit: int = BATCHES) -> list[Earlier]:
    """Finished batches that came the same way, newest first.

    Args:
        store: The graph.
        way: As :func:`way_of` tells it.
        before: Only batches that began earlier, epoch ms.
        limit: At most so many.
    """
    rows = store.read("load/find_quality", way=way, before=before, limit=limit)
    found = ((row, Record.unpacked(row["quality"])) for row in rows)
    return [
        Earlier(str(row["id"]), str(row["source"] or ""), int(row["started_at"]), record)
        for row, record in found
        if record is not None
    ]


def drift(now: Record, earlier: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """The population stability index of the mix of events, of their values, and of the hours of the day.

    Returns:
        Distribution -> ``psi``, ``band``, ``by_chance`` and the ``changes`` that make it; null and empty where either
        side has fewer than :data:`MIN_EVENTS` events to tell by. Values are compared by tenths of the earlier ones.
    """
    users = sum(record.distinct.get("users", 0) for record in earlier), now.distinct.get("users", 0)
    values = tenths(_sum(record.values for record in earlier), now.values)
    pairs: dict[str, tuple[Mapping[str, float], Mapping[str, float]]] = {
        "event_types": (_sum(record.event_types for record in earlier), now.event_types),
        "value": (values[0], values[1]),
        "hours": (_sum(map(_by_hour, earlier)), _by_hour(now)),
    }
    return {name: _apart(then, here, users) for name, (then, here) in pairs.items()}


def _apart(then: Mapping[str, float], now: Mapping[str, float], users: tuple[int, int]) -> dict[str, Any]:
    if min(sum(then.values()), sum(now.values())) < MIN_EVENTS:
        return {"psi": None, "band": None, "by_chance": None, "changes": []}
    value = psi(then, now)
    return {
        "psi": round(value, 4),
        "band": band(value),
        "by_chance": round(by_chance(then, now, users), 4),
        "changes": changes(then, now),
    }


def _by_hour(record: Record) -> dict[str, int]:
    return {f"{hour:02d}": count for hour, count in enumerate(record.hours_of_day) if count}


def _sum(counts: Iterable[Mapping[Any, int]]) -> Counter[Any]:
    total: Counter[Any] = Counter()
    for one in counts:
        total.update(one)
    return total
