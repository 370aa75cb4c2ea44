"""A batch read and checked to its end without a word written: what it would be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from graphprofile.errors import UsageError
from graphprofile.ingest.counts import Counts
from graphprofile.ingest.occurrences import Occurrences
from graphprofile.ingest.quality.sketch import hashed
from graphprofile.records import EventChunk, SourceFile


@dataclass
class Repeats:
    """Events that come again in the same batch: nothing was written, so the graph cannot tell them.

    They are told by 64-bit hashes, which lie on disk beyond some millions. Of an event that comes a third time with
    what was a conflict before it is called a duplicate.
    """

    replace: bool = False
    _ids: Occurrences = field(default_factory=Occurrences)
    _contents: Occurrences = field(default_factory=Occurrences)

    def apart(self, chunk: EventChunk) -> tuple[EventChunk, Counts]:
        """The events that come for the first time, and counts of the others."""
        frame = chunk.frame
        again = self._ids.number(hashed(frame["type"], frame["event_id"])) > 1
        same = self._contents.number(hashed(frame["type"], frame["event_id"], frame["hash"])) > 1
        if not again.any():
            return chunk, Counts()
        repeated = int(again.sum())
        duplicates = int((again & same).sum())
        counts = Counts(read=repeated, duplicates=duplicates)
        if self.replace:
            counts.applied = counts.replaced = repeated - duplicates
        else:
            counts.conflicts = repeated - duplicates
        return replace(chunk, frame=chunk.frame.filter(pl.Series(np.logical_not(again)))), counts


def require_twice(sources: Sequence[Any]) -> None:
    """Refuse what can be read only once, since thresholds are judged before anything is written.

    Raises:
        UsageError: Names the source.
    """
    for source in sources:
        if isinstance(source, SourceFile):
            once, name = not source.path.is_file(), str(source.path)
        else:
            once = isinstance(source, Iterator) or hasattr(source, "read_next_batch")
            name = f"a {type(source).__name__}"
        if once:
            raise UsageError(
                f"Thresholds are judged before anything is written, and {name} can be read only once.",
                "Write the rows into a file (or a list or frame), or say --fail-on none.",
            )
