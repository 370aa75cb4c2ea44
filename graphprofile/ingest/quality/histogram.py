"""Numbers counted in bins that are narrow where numbers are small: distributions of any scale in bounded memory."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

_BITS, _SIGN = 16, 1 << 15
ERROR = 1 / 16
"""A bin is at most so wide, relative to its lower edge."""


@dataclass
class Histogram:
    """Counts by sign, power of two and sixteenth of it: the first sixteen bits of a float64.

    Whole numbers up to 32 have bins of their own, so ratings are told apart. The idea is that of HdrHistogram, the
    bins are those of the numbers' own format: a shift finds them.
    """

    _counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1 << _BITS, dtype=np.int64))
    low: float | None = None
    high: float | None = None

    def add(self, numbers: npt.NDArray[np.float64]) -> None:
        """Take finite numbers."""
        if not len(numbers):
            return
        self._counts += np.bincount((numbers.view(np.uint64) >> 48).astype(np.int64), minlength=1 << _BITS)
        low, high = float(numbers.min()), float(numbers.max())
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)

    def counts(self) -> dict[int, int]:
        """Key -> count, in the order of the numbers; the key of a negative bin is minus that of its mirror image."""
        found: dict[int, int] = {}
        for code in np.flatnonzero(self._counts).tolist():
            key = code if code < _SIGN else -(code & ~_SIGN)
            found[key] = found.get(key, 0) + int(self._counts[code])
        return dict(sorted(found.items()))


def edge(key: int) -> float:
    """The edge of a bin that is nearer to zero."""
    value: float = struct.unpack(">d", struct.pack(">Q", abs(key) << 48))[0]
    return -value if key < 0 else value


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The number below which that share lies, at most one sixteenth too near to zero; None of nothing."""
    total, seen = sum(counts.values()), 0
    for key in sorted(counts):
        seen += counts[key]
        if seen >= share * total:
            return edge(key)
    return None


def tenths(then: Mapping[int, int], *others: Mapping[int, int]) -> list[dict[str, int]]:
    """Bins joined so that each holds about a tenth of the first distribution: what an index compares.

    Returns:
        For each distribution counts by the number below which none of a bin's lie, as text.
    """
    total, seen, group = max(1, sum(then.values())), 0, -1
    names: dict[int, str] = {}
    name = ""
    for key in sorted({*then, *(key for other in others for key in other)}):
        place = min(9, 10 * seen // total)
        if place != group:
            group, name = place, f"{edge(key):g}"
        names[key] = name
        seen += then.get(key, 0)
    folded = []
    for counts in (then, *others):
        found: dict[str, int] = {}
        for key, count in counts.items():
            found[names[key]] = found.get(names[key], 0) + count
        folded.append(found)
    return folded
