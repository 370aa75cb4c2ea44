"""Distributions of events as counts per bin; :mod:`graphprofile.stability` says how far two of them are apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from graphprofile.graphsage.data import TrainingGraph

TAGS = 50
SIZES = (0.5, 1.0, 2.0, 4.0, 8.0)
Ranks = Mapping[str, Sequence[float]]
"""Object key -> its :func:`ranks`."""

DISTRIBUTIONS = ("event_types", "contributions", "popularity", "tags", "events_per_user_day")


@dataclass
class Stretch:
    """Counts per bin of the events of some users in a stretch of time.

    Attributes:
        sampled: Users looked at.
        users: Those with an event in the stretch.
        events: Their events in it.
        counts: Distribution -> bin -> count; an event on an object of n tags counts 1/n for each, and of
            ``events_per_user_day`` a user's day with an event counts once.
    """

    sampled: int = 0
    users: int = 0
    events: int = 0
    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in DISTRIBUTIONS}
    )

    def to_json(self) -> dict[str, Any]:
        """As it is kept: tags beyond the commonest fifty are one bin."""
        common = dict(self.counts["tags"].most_common(TAGS))
        return {
            "sampled_users": self.sampled,
            "users": self.users,
            "events": self.events,
            "counts": {
                **{
                    name: {bin_: round(float(count), 3) for bin_, count in sorted(counts.items())}
                    for name, counts in self.counts.items()
                },
                "tags": folded_tags(self.counts["tags"], common.keys()),
            },
        }


def folded_tags(counts: Mapping[str, float], known: Iterable[str]) -> dict[str, float]:
    """Counts of the known tags; all others are one bin."""
    kept, out = set(known), Counter[str]()
    for name, count in counts.items():
        out[name if name in kept else "other"] += count  # type: ignore[assignment]
    return {name: round(float(count), 3) for name, count in sorted(out.items())}


def contribution_bins(weights: Sequence[float]) -> list[str]:
    """Sign and size of contributions: ``+1`` is above 0.5 and at most 1, ``0`` is nothing, ``-more`` below -8."""
    names = [*(f"{size:g}" for size in SIZES), "more"]
    place = np.searchsorted(SIZES, np.abs(np.asarray(weights, dtype=np.float64)) - 1e-9)
    return [
        "0" if weight == 0 else ("+" if weight > 0 else "-") + names[at]
        for weight, at in zip(weights, place.tolist(), strict=True)
    ]


def number_bin(events: int) -> str:
    """Powers of two: ``1``, ``2-3``, ``4-7`` up to ``1024+``."""
    low = 1 << min(10, max(events, 1).bit_length() - 1)
    return "1" if low == 1 else "1024+" if low == 1024 else f"{low}-{2 * low - 1}"


def ranks(graph: TrainingGraph, until: int | None = None) -> npt.NDArray[np.float32]:
    """Popularity of objects by their events up to a time, as shares of the events on objects no more popular.

    Args:
        graph: The graph.
        until: Epoch ms; None takes all events.

    Returns:
        float32 [num_objects, 2]: the stretch of the cumulated events, from 0 to 1, that the objects with equally many
        hold together; twice 0 for objects without an event.
    """
    objects = graph.event_object if until is None else graph.event_object[graph.event_ts <= until]
    count = np.bincount(objects, minlength=graph.num_objects)
    sizes, of_object, number = np.unique(count, return_inverse=True, return_counts=True)
    mass = sizes * number
    upper = np.cumsum(mass) / max(1, int(mass.sum()))
    both = np.stack([upper - mass / max(1, int(mass.sum())), upper], axis=1)[of_object]
    return np.where(count[:, None] > 0, both, 0.0).astype(np.float32)


def popularity_bins(on_object: Mapping[str, int], popularity: Ranks) -> Counter[str]:
    """Events by how popular their objects were before: ten bins of equally many earlier events, and ``new``.

    Objects that were equally popular fill their stretch together, so an event may count for parts of several bins.
    """
    found: Counter[str] = Counter()
    counts = np.array(list(on_object.values()), dtype=np.float64)
    place = np.array([popularity.get(key, (0.0, 0.0)) for key in on_object], dtype=np.float64).reshape(-1, 2)
    width = place[:, 1] - place[:, 0]
    known = width > 0
    edges = np.arange(11) / 10
    overlap = np.minimum(place[:, 1:], edges[None, 1:]) - np.maximum(place[:, :1], edges[None, :-1])
    share = np.clip(overlap, 0.0, None)[known] / width[known, None]
    for number, value in enumerate((counts[known] @ share).tolist(), start=1):
        if value:
            found[str(number)] = value
    if not known.all():
        found["new"] = counts[~known].sum().item()
    return found
