"""Second pass: which events are new, which are there already, which say something else under the same id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from graphprofile.ingest.bulk.collect import Collected
from graphprofile.ingest.bulk.parts import Part
from graphprofile.ingest.bulk.shapes import Sink

FRESH, AGAIN, CONFLICT, WITHDRAWN = 0, 1, 2, 3
MOST_REMEMBERED = 100_000
"""Conflicts whose other version is shown; beyond it they are reported without."""


@dataclass
class Verdicts:
    """What became of each event, by its number; on disk, one byte each.

    Attributes:
        marks: FRESH, AGAIN, CONFLICT or WITHDRAWN (the version that stays, of an event that was withdrawn).
        first: Number of the event that stays, by the number of the one in conflict with it.
        withdrawn_by: Place of the part that withdrew an event, by the event's number.
    """

    marks: npt.NDArray[np.uint8]
    first: dict[int, int] = field(default_factory=dict)
    withdrawn_by: dict[int, int] = field(default_factory=dict)

    def of(self, rows: pl.DataFrame) -> npt.NDArray[np.uint8]:
        """The marks of consecutive events."""
        return self.marks[rows["seq"][0] : rows["seq"][-1] + 1]


def judge(batch: str, collected: Collected, folder: Path, sink: Sink) -> Verdicts:
    """Compare events that share type and id: the first in the order of the sources stays, unless it is withdrawn.

    Args:
        batch: Id of the batch.
        collected: The first pass; its withdrawals get their counts.
        folder: For the marks.
        sink: Takes withdrawals of events that nobody brought.
    """
    verdicts = Verdicts(marks(folder / "events.marks", collected.events.rows))
    repeated = marks(folder / "withdrawn.marks", collected.withdrawal_rows)
    for frame, withdrawn in zip(collected.keys, collected.withdrawn, strict=True):
        first = None if frame is None else _compare(frame, verdicts)
        if withdrawn is None:
            continue
        new = withdrawn.select(pl.struct("type", "event_id").is_first_distinct()).to_series()
        repeated[withdrawn.filter(~new)["seq"].to_numpy()] = AGAIN
        withdrawn = withdrawn.filter(new)
        if first is not None:
            found = first.join(withdrawn, on=["type", "event_id"], suffix="_of")
            verdicts.marks[found["seq"].to_numpy()] = WITHDRAWN
            verdicts.withdrawn_by.update(found.select("seq", "part").iter_rows())
            withdrawn = withdrawn.join(first, on=["type", "event_id"], how="anti")
        parts = [f"{batch}/{collected.withdrawals[place].name}" for place in withdrawn["part"].to_list()]
        if parts:
            sink.nodes(
                "Retracted",
                withdrawn.select(
                    pl.concat_str("type", "event_id", separator=" ").alias("#key"),
                    "type",
                    "event_id",
                    pl.Series("batch", parts, dtype=pl.String),
                ),
            )
    for part in collected.withdrawals:
        count(part, repeated)
    return verdicts


def _compare(frame: pl.DataFrame, verdicts: Verdicts) -> pl.DataFrame:
    """Mark all but the first event of each type and id; these are returned."""
    new = frame.select(pl.struct("type", "event_id").is_first_distinct()).to_series()
    if new.all():
        return frame
    first = frame.filter(new)
    pairs = frame.filter(~new).join(first, on=["type", "event_id"], suffix="_first")
    differs = pairs["hash"] != pairs["hash_first"]
    verdicts.marks[pairs["seq"].to_numpy()] = np.where(differs.to_numpy(), CONFLICT, AGAIN)
    room = max(0, MOST_REMEMBERED - len(verdicts.first))
    verdicts.first.update(pairs.filter(differs).select("seq", "seq_first").head(room).iter_rows())
    return first


def marks(path: Path, rows: int) -> npt.NDArray[np.uint8]:
    """One byte per row, zero, in a file."""
    if not rows:
        return np.zeros(0, dtype=np.uint8)
    return np.memmap(path, dtype=np.uint8, mode="w+", shape=(rows,))


def count(part: Part, found: npt.NDArray[np.uint8]) -> None:
    """Count the rows of a part that were judged after it was made."""
    again = int(np.count_nonzero(found[part.first : part.first + part.rows] == AGAIN))
    part.counts.duplicates += again
    part.counts.applied += part.rows - again


def fresh_events(collected: Collected, verdicts: Verdicts) -> Iterator[pl.DataFrame]:
    """The events that stay, stretch by stretch."""
    for frame in collected.events:
        found = verdicts.of(frame)
        yield frame.filter(pl.Series(found == FRESH)) if found.any() else frame
