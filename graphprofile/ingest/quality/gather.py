"""The quality of a batch, gathered from checked chunks as they pass: columns at a time, in bounded memory.

How the rows are cut into chunks makes no difference. All of it comes from reading, so a batch that goes on after a
kill, which reads its sources from their beginning, has the record of the whole batch.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from graphprofile.ingest.counts import SUMMED, Counts
from graphprofile.ingest.events import CONFLICT
from graphprofile.ingest.ledger import now_ms
from graphprofile.ingest.quality.filled import Filled
from graphprofile.ingest.quality.histogram import Histogram
from graphprofile.ingest.quality.record import VERSION, Record
from graphprofile.ingest.quality.sketch import Distinct, hashed
from graphprofile.ingest.quality.volume import Volume
from graphprofile.ingest.times import FUTURE
from graphprofile.records import (
    Chunk,
    DescriptionChunk,
    Kind,
    Rejection,
    RetractionChunk,
)

MOST_REASONS = 500
"""Reasons beyond so many are counted together; a reason's own values are left out of it."""
_VALUES = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[+-]?\d[\d.,:TZ+-]*""")
OTHER = "other reasons"
UNTOLD = "refused by the graph; the quarantine says why"


@dataclass
class Gatherer:
    """Takes the chunks of one batch.

    Attributes:
        watermark: Newest event before the batch, epoch ms; None where there was none.
        names: Event name by relationship type.
        now: The present, epoch ms: what is later has not happened yet.
    """

    watermark: int | None
    names: Mapping[str, str]
    now: int = field(default_factory=now_ms)
    _filled: dict[Kind, Filled] = field(default_factory=dict)
    _refused: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _skipped: Counter[str] = field(default_factory=Counter)
    _cleaned: Counter[str] = field(default_factory=Counter)
    _types: Counter[str] = field(default_factory=Counter)
    _distinct: dict[str, Distinct] = field(default_factory=dict)
    _values: Histogram = field(default_factory=Histogram)
    _lag: Histogram = field(default_factory=Histogram)
    _volume: Volume = field(default_factory=Volume)
    _oldest: int | None = None
    _newest: int | None = None
    _read: int = 0
    _behind: int = 0
    _future: int = 0

    def add(self, chunk: Chunk) -> None:
        """Take one chunk, before it is written; what was told of its rows is let go with it."""
        self._read += chunk.read
        if chunk.filled is not None:
            self._filled.setdefault(chunk.kind, Filled()).add(chunk.filled)
            if chunk.filled.events is not None:
                self._events(chunk.filled.events)
            chunk.filled = None
        self.refuse(chunk.rejected)
        if isinstance(chunk, DescriptionChunk) and chunk.rows:
            self._count(chunk.kind, pl.Series([row.id for row in chunk.rows], dtype=pl.String))
        if not isinstance(chunk, RetractionChunk):
            self._skipped.update(chunk.skipped)
            self._cleaned.update(chunk.cleaned)

    def refuse(self, rejected: Iterable[Rejection]) -> None:
        """Take refused rows; conflicts among them are counted elsewhere."""
        for rejection in rejected:
            if rejection.checked and rejection.reason.startswith(CONFLICT):
                continue
            if FUTURE in rejection.reason:
                self._future += 1
            key = (rejection.kind, rejection.field, plain_reason(rejection.reason))
            if key not in self._refused and len(self._refused) >= MOST_REASONS:
                key = (rejection.kind, "", OTHER)
            self._refused[key] += 1

    def _events(self, frame: pl.DataFrame) -> None:
        if frame.is_empty():
            return
        self._count_types(frame["type"])
        self._count("users", frame["user_id"])
        self._count("objects", frame["object_id"], frame["object_kind"])
        self._values.add(frame["value"].drop_nulls().to_numpy())
        times, coarse = frame["ts"].to_numpy(), frame["ts_precision"]
        self._volume.add(times, coarse.is_null().to_numpy() if coarse.null_count() < len(coarse) else None)
        oldest, newest = int(times.min()), int(times.max())
        self._oldest = oldest if self._oldest is None else min(self._oldest, oldest)
        self._newest = newest if self._newest is None else max(self._newest, newest)
        if newest > self.now:
            self._future += int((times > self.now).sum())
        if self.watermark is not None and oldest < self.watermark:
            lag = self.watermark - times[times < self.watermark]
            self._behind += len(lag)
            self._lag.add(lag.astype(np.float64))

    def _count_types(self, types: pl.Series) -> None:
        # Few names come, and mostly those that came before: comparing costs less than grouping.
        left = len(types)
        counts: dict[str, int] = {}
        for name in self._types:
            counts[name] = int((types == name).sum())
            left -= counts[name]
            if not left:
                break
        self._types.update(counts if not left else dict(types.value_counts().iter_rows()))

    def _count(self, what: str, *columns: pl.Series) -> None:
        self._distinct.setdefault(what, Distinct()).add(hashed(*columns))

    def record(self, outcomes: Mapping[str, Counts], unsent: int = 0) -> Record:
        """What is kept with the batch.

        Args:
            outcomes: By kind, what became of the rows: of the whole batch, also of a part that an earlier process
                wrote.
            unsent: Rows of files that were taken in whole before: they were not looked at.
        """
        refused = [[*key, rows] for key, rows in sorted(self._refused.items())]
        told = sum(self._refused.values())
        # What the graph refused before a kill, or in a bulk load, is known here by its number alone.
        untold = sum(counts.quarantined for counts in outcomes.values()) - told
        if untold > 0:
            refused.append(["", "", UNTOLD, untold])
        kinds = sorted(self._filled.items())
        return Record(
            version=VERSION,
            looked_at=self._read,
            unsent=unsent,
            watermark=self.watermark,
            oldest_ts=self._oldest,
            newest_ts=self._newest,
            outcomes={
                kind: {name: getattr(counts, name) for name in SUMMED}
                for kind, counts in sorted(outcomes.items())
            },
            in_columns={kind: found.rows for kind, found in kinds},
            filled={kind: dict(found.columns) for kind, found in kinds},
            uncounted_columns={kind: len(found.more) for kind, found in kinds if found.more},
            flagged=dict(sorted(_sum(found.flagged for _, found in kinds).items())),
            refused=refused,
            skipped=dict(sorted(self._skipped.items())),
            cleaned=dict(sorted(self._cleaned.items())),
            event_types={self.names.get(name, name): rows for name, rows in sorted(self._types.items())},
            values=self._values.counts(),
            low=self._values.low,
            high=self._values.high,
            lag=self._lag.counts(),
            behind=self._behind,
            future=self._future,
            hours_of_day=self._volume.of_day.tolist(),
            stretch_hours=self._volume.width,
            volume=self._volume.starts(),
            distinct={what: found.count() for what, found in sorted(self._distinct.items())},
        )


def plain_reason(reason: str) -> str:
    """A reason without the values that it quotes, so that equal ones count together."""
    first = reason.partition("\n")[0]
    return _VALUES.sub("…", first)[:160]


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counters:
        total.update(one)
    return total


def outcomes_of(parts: Sequence[Mapping[str, Any]]) -> dict[str, Counts]:
    """Sums by kind as :class:`Counts`."""
    found: dict[str, Counts] = {}
    for row in parts:
        counts = found[str(row["kind"])] = Counts()
        for name in SUMMED:
            setattr(counts, name, int(row[name] or 0))
    return found
