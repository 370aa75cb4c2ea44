"""How often a row has been seen in one source: numbers for identical events that bring no id."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from graphprofile.errors import ConfigError

Keys = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

IN_MEMORY = 4_000_000
"""Runs longer than this lie in a temporary file: memory stays bounded however long the source is."""


@dataclass
class Occurrences:
    """Counts of 64-bit keys, in sorted runs of growing length.

    A run is merged with its neighbour when they are of a size, so there are few of them (a log-structured
    merge, after O'Neil et al., Acta Informatica 1996).
    """

    runs: list[tuple[Keys, Counts]] = field(default_factory=list)

    def number(self, keys: Keys) -> Counts:
        """For each key how many times it has come, itself included, counted over all calls."""
        if not len(keys):
            return np.zeros(0, dtype=np.int64)
        unique, counts = np.unique(keys, return_counts=True)
        before = np.zeros(len(unique), dtype=np.int64)
        for known, totals in self.runs:
            at = np.minimum(np.searchsorted(known, unique), len(known) - 1)
            again = known[at] == unique
            if again.any():
                before[again] += totals[at[again]]
        self._add(unique, counts.astype(np.int64))
        if len(unique) == len(keys) and not before.any():
            return np.ones(len(keys), dtype=np.int64)
        inverse = np.searchsorted(unique, keys)
        order = np.argsort(inverse, kind="stable")
        starts = np.repeat(np.cumsum(counts) - counts, counts)
        within = np.empty(len(keys), dtype=np.int64)
        within[order] = np.arange(len(keys)) - starts + 1
        return within + before[inverse]

    def _add(self, keys: Keys, counts: Counts) -> None:
        while self.runs and len(self.runs[-1][0]) <= 2 * len(keys):
            keys, counts = _merged(self.runs.pop(), (keys, counts))
        if len(keys) > IN_MEMORY:
            keys, counts = _on_disk(keys), _on_disk(counts)
        self.runs.append((keys, counts))


def _merged(one: tuple[Keys, Counts], other: tuple[Keys, Counts]) -> tuple[Keys, Counts]:
    """Two sorted runs as one; a key in both has the sum of its counts."""
    keys = np.concatenate([one[0], other[0]])
    # The stable sort of numpy knows sorted stretches and merges them.
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], np.concatenate([one[1], other[1]])[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    if len(starts) == len(keys):
        return keys, counts
    return keys[starts], np.add.reduceat(counts, starts)


def _on_disk(values: Any) -> Any:
    """The same array in a temporary file without a name: it is gone with the last use of the array."""
    try:
        with tempfile.TemporaryFile(prefix="graphprofile-") as handle:
            values.tofile(handle)
            handle.flush()
            return np.memmap(handle, dtype=values.dtype, mode="r", shape=values.shape)
    except OSError as error:
        raise ConfigError(
            f"The temporary folder {tempfile.gettempdir()} cannot be written to: {error}.",
            "Make room there, or set TMPDIR to another folder.",
        ) from error
