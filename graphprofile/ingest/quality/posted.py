"""The quality of posts: events by the one and the dozen, looked at together.

An operation on columns has a price of its own, whether a column has one row or thousands: so posts wait until there are
many of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import polars as pl

from graphprofile.ingest.counts import Counts
from graphprofile.ingest.ledger import Ledger
from graphprofile.ingest.quality.filled import Filled
from graphprofile.ingest.quality.gather import Gatherer, outcomes_of
from graphprofile.ingest.quality.record import Record
from graphprofile.records import Description, DescriptionChunk, EventChunk, Kind, Rejection

TOGETHER = 2_000
"""Rows that are looked at in one go."""
_SOURCE = "<posts>"


class Posted:
    """Takes the posts of one batch.

    Args:
        names: Event name by relationship type.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._gathered = Gatherer(None, names)
        self._refused: Counter[Kind] = Counter()
        self._wait()

    def begin(self, watermark: int | None) -> None:
        """The batch begins: what came before it was refused, and says nothing of lateness.

        Args:
            watermark: Newest event before the batch, epoch ms.
        """
        self._gathered.watermark = watermark

    def _wait(self) -> None:
        self._rows = 0
        self._frames: list[pl.DataFrame] = []
        self._filled = Filled()
        self._rejected: list[Rejection] = []

    def add(self, rows: int, events: pl.DataFrame, filled: Filled, rejected: Sequence[Rejection]) -> None:
        """Take a post of events: its rows, the good ones, and the others."""
        self._rows += rows
        self._frames.append(events)
        self._filled.add(filled)
        self._rejected += rejected
        self._refused["events"] += len(rejected)
        if self._rows >= TOGETHER:
            self._look()

    def describe(
        self,
        kind: Kind,
        rows: list[Description],
        repeats: int,
        filled: Filled,
        rejected: list[Rejection],
    ) -> None:
        """Take a post of descriptions."""
        self._refused[kind] += len(rejected)
        read = len(rows) + repeats + len(rejected)
        self._gathered.add(DescriptionChunk(kind, rows, rejected, read, _SOURCE, filled=filled))

    def refuse(self, rejected: Sequence[Rejection]) -> None:
        """Take what the graph refused."""
        self._gathered.refuse(rejected)

    def _look(self) -> None:
        if self._rows:
            events = pl.concat(self._frames)
            self._filled.events = events
            self._gathered.add(
                EventChunk(events.clear(), self._rejected, self._rows, _SOURCE, filled=self._filled)
            )
        self._wait()

    def record(self, ledger: Ledger) -> Record:
        """What is kept with the batch; rows that were refused before they came to it count here too."""
        self._look()
        outcomes = outcomes_of(ledger.outcomes())
        for kind, rows in self._refused.items():
            counts = outcomes.setdefault(kind, Counts())
            counts.read += rows
            counts.quarantined += rows
        return self._gathered.record(outcomes)
