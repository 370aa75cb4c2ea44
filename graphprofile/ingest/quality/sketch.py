"""How many different values come, in bounded memory: exact for few, estimated for many."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

KEPT = 2048
ERROR = (KEPT - 2) ** -0.5
"""Standard error of an estimate, relative: 2.2 %."""


@dataclass
class Distinct:
    """The lowest hashes of the values, of which their number is told.

    Exact below :data:`KEPT` values. Beyond, hashes of n values lie evenly, so the k-th lowest lies at k / n (after
    Bar-Yossef et al., RANDOM 2002; the unbiased estimator is that of Beyer et al., SIGMOD 2007). Once many have come,
    few hashes are low enough to be looked at: cheaper than registers that every row has to meet.
    """

    _lowest: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))

    def add(self, hashes: npt.NDArray[np.uint64]) -> None:
        """Take the 64-bit hashes of some values, see :func:`hashed`."""
        if len(self._lowest) == KEPT:
            hashes = hashes[hashes < self._lowest[-1]]
        if not len(hashes):
            return
        found = np.concatenate([self._lowest, hashes])
        found.sort()
        new = np.ones(len(found), dtype=bool)
        np.not_equal(found[1:], found[:-1], out=new[1:])
        self._lowest = found[new][:KEPT]

    def count(self) -> int:
        """How many different ones there were."""
        if len(self._lowest) < KEPT:
            return len(self._lowest)
        return round((KEPT - 1) / (float(self._lowest[-1]) / 2.0**64))


def hashed(*columns: pl.Series) -> npt.NDArray[np.uint64]:
    """One 64-bit hash a row, of what stands in all columns; none may hold nulls."""
    first, *others = (column.hash(seed=number).to_numpy() for number, column in enumerate(columns))
    for other in others:
        first = first ^ other
    return first
