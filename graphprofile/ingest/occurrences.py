"""How often a row has been seen in one source: numbers for identical events that bring no id."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from graphprofile.errors import ConfigError

Keys = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

IN_MEMORY = 2_000_000
"""Runs longer than this lie in a temporary file and grow no more: memory stays bounded however long the source."""


@dataclass
class Occurrences:
    """64-bit keys in sorted runs of growing length, each key as often as it came.

    A run is merged with its neighbour when they are of a size, so there are few of them (a log-structured
    merge, after O'Neil et al., Acta Informatica 1996).
    """

    runs: list[Keys] = field(default_factory=list)

    def number(self, keys: Keys) -> Counts:
        """For each key how many times it has come, itself included, counted over all calls."""
        if not len(keys):
            return np.zeros(0, dtype=np.int64)
        unique, counts = np.unique(keys, return_counts=True)
        before = np.zeros(len(unique), dtype=np.int64)
        for run in self.runs:
            at = np.searchsorted(run, unique)
            known = np.flatnonzero(run[np.minimum(at, len(run) - 1)] == unique)
            before[known] += np.searchsorted(run, unique[known], side="right") - at[known]
        self._add(np.repeat(unique, counts))
        if len(unique) == len(keys) and not before.any():
            return np.ones(len(keys), dtype=np.int64)
        order = np.argsort(keys, kind="stable")
        within = np.empty(len(keys), dtype=np.int64)
        within[order] = np.arange(len(keys)) - np.repeat(np.cumsum(counts) - counts - before, counts) + 1
        return within

    def _add(self, keys: Keys) -> None:
        while self.runs and len(self.runs[-1]) <= min(2 * len(keys), IN_MEMORY):
            keys = np.concatenate([self.runs.pop(), keys])
            # The stable sort finds the two sorted stretches and only merges them.
            keys.sort(kind="stable")
        self.runs.append(_on_disk(keys) if len(keys) > IN_MEMORY else keys)


def _on_disk(values: Keys) -> Keys:
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
