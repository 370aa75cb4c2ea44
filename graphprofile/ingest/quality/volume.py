"""Events by the hour they happened in, in bounded memory whatever the span."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

HOUR_MS = 3_600_000
WIDTHS = (1, 24, 168, 672, 8_736, 87_360)
"""Hours of a stretch: an hour, a day, a week, 4 weeks, 52 weeks, 520 weeks; each holds whole ones of that before."""
MOST = 1_000
"""More stretches than this are joined to wider ones."""
_MONDAY = 72
"""The epoch is a Thursday; weeks begin three days earlier."""
_NEAR = 1 << 20

Hours = npt.NDArray[np.int64]


@dataclass
class Volume:
    """Counts by stretch of time; what is too many hours becomes days, then weeks, and so on.

    Attributes:
        width: Hours of a stretch now: the least of :data:`WIDTHS` that gives at most :data:`MOST` of them.
        by_stretch: Number of a stretch since the epoch's week -> events.
        of_day: Events by hour of the day, UTC, [24]; not those of which only the year or the month is known.
    """

    width: int = WIDTHS[0]
    by_stretch: Counter[int] = field(default_factory=Counter)
    of_day: Hours = field(default_factory=lambda: np.zeros(24, dtype=np.int64))

    def add(self, ts: Hours, exact: npt.NDArray[np.bool_] | None = None) -> None:
        """Take times, epoch ms; ``exact`` says which have an hour, None that all do."""
        if not len(ts):
            return
        hours, counts = _counted(ts // HOUR_MS)
        of_day = (hours, counts) if exact is None else _counted(ts[exact] // HOUR_MS)
        self.of_day += np.bincount(of_day[0] % 24, weights=of_day[1], minlength=24).astype(np.int64)
        self._note((hours + _MONDAY) // self.width, counts)

    def _note(self, stretches: Hours, counts: Hours) -> None:
        if self.width > 1:
            stretches, counts = _joined(stretches, counts)
        while len(stretches) > MOST and self.width != WIDTHS[-1]:
            stretches, counts = _joined(stretches // self._widen(), counts)
        for stretch, count in zip(stretches.tolist(), counts.tolist(), strict=True):
            self.by_stretch[stretch] += count
        while len(self.by_stretch) > MOST and self.width != WIDTHS[-1]:
            self._widen()

    def _widen(self) -> int:
        """Take the next width; how many stretches become one."""
        wider = WIDTHS[WIDTHS.index(self.width) + 1]
        factor, self.width = wider // self.width, wider
        found: Counter[int] = Counter()
        for stretch, count in self.by_stretch.items():
            found[stretch // factor] += count
        self.by_stretch = found
        return factor

    def starts(self) -> list[tuple[int, int]]:
        """Begin of each stretch with events, epoch ms, and how many, in order of time."""
        return [
            ((stretch * self.width - _MONDAY) * HOUR_MS, count)
            for stretch, count in sorted(self.by_stretch.items())
        ]


def _counted(hours: Hours) -> tuple[Hours, Hours]:
    """Different hours and how often each comes."""
    if not len(hours):
        return hours, hours
    first = int(hours.min())
    if int(hours.max()) - first < _NEAR:
        counts = np.bincount(hours - first)
        at = np.flatnonzero(counts)
        return at + first, counts[at]
    found, counts = np.unique(hours, return_counts=True)
    return found, counts


def _joined(stretches: Hours, counts: Hours) -> tuple[Hours, Hours]:
    """Ascending stretches, each once."""
    first = np.ones(len(stretches), dtype=bool)
    np.not_equal(stretches[1:], stretches[:-1], out=first[1:])
    at = np.flatnonzero(first)
    return stretches[at], np.add.reduceat(counts, at)
