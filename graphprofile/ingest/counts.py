"""What became of the rows of a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from graphprofile.records import Rejection

SUMMED = ("read", "applied", "duplicates", "conflicts", "quarantined", "late", "replaced")


@dataclass
class Counts:
    """What became of the rows; ``read`` = applied + duplicates + conflicts + quarantined.

    ``late`` and ``replaced`` are parts of ``applied``. ``tied``: descriptions written by this process that said another
    thing of the same time. ``outcomes`` says of each line what became of it, where that
    was asked for: accepted | late | duplicate | conflict; refused lines stand in ``rejected`` alone.
    """

    read: int = 0
    applied: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    late: int = 0
    replaced: int = 0
    tied: int = 0
    newest_ts: int | None = None
    oldest_ts: int | None = None
    rejected: list[Rejection] = field(default_factory=list)
    outcomes: dict[int, str] = field(default_factory=dict)

    def add(self, other: Counts) -> None:
        """Add another stretch's counts and rejections."""
        for name in SUMMED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.tied += other.tied
        newest = [t for t in (self.newest_ts, other.newest_ts) if t is not None]
        oldest = [t for t in (self.oldest_ts, other.oldest_ts) if t is not None]
        self.newest_ts, self.oldest_ts = max(newest, default=None), min(oldest, default=None)
        self.rejected.extend(other.rejected)
        self.outcomes.update(other.outcomes)

    def cover(self, times: pl.Series) -> None:
        """Note the span of applied events, epoch ms."""
        newest: Any = times.max()
        oldest: Any = times.min()
        self.newest_ts, self.oldest_ts = newest, oldest

    def as_properties(self) -> dict[str, Any]:
        """The counts as properties of a record in the graph."""
        return {name: getattr(self, name) for name in (*SUMMED, "newest_ts", "oldest_ts")}
