"""The quality record of a batch as it is kept in the graph: one compact text beside the batch's counts."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from graphprofile.ingest.claims import pack, unpack

VERSION = 1


class Record(BaseModel):
    """What the rows of a batch looked like.

    Attributes:
        version: Of this form.
        looked_at: Rows read, refused ones too.
        unsent: Rows of files that were taken in whole before: of them nothing is known here.
        watermark: Newest event before the batch, epoch ms.
        oldest_ts: Oldest event, epoch ms, also where it was there already.
        newest_ts: Newest event, epoch ms.
        outcomes: Kind -> what became of its rows.
        in_columns: Kind -> rows that could be split into columns.
        filled: Kind -> column -> rows with a value.
        uncounted_columns: Kind -> columns that were too many to be counted.
        flagged: Flag of a mapping file -> rows.
        refused: Kind, field, reason and rows.
        skipped: Reason -> rows left out on purpose.
        cleaned: Rule of a mapping file -> values that it changed.
        event_types: Event -> rows.
        values: Key of a :class:`~graphprofile.ingest.quality.histogram.Histogram` -> events with such a value.
        low: The smallest value.
        high: The largest value.
        lag: The same of milliseconds behind the watermark, of events that lie behind it.
        behind: How many these are, also of those that were there already.
        future: Rows whose time had not come yet, refused or not.
        hours_of_day: Events by hour of the day, UTC, [24].
        stretch_hours: Hours of a stretch in ``volume``.
        volume: Begin of a stretch, epoch ms, and events.
        distinct: users | objects | the kinds of descriptions -> how many different ones.
    """

    version: int
    looked_at: int
    unsent: int
    watermark: int | None
    oldest_ts: int | None
    newest_ts: int | None
    outcomes: dict[str, dict[str, int]]
    in_columns: dict[str, int]
    filled: dict[str, dict[str, int]]
    uncounted_columns: dict[str, int]
    flagged: dict[str, int]
    refused: list[tuple[str, str, str, int]]
    skipped: dict[str, int]
    cleaned: dict[str, int]
    event_types: dict[str, int]
    values: dict[int, int]
    low: float | None
    high: float | None
    lag: dict[int, int]
    behind: int
    future: int
    hours_of_day: list[int]
    stretch_hours: int
    volume: list[tuple[int, int]]
    distinct: dict[str, int]

    def packed(self) -> str:
        """As text for a property of the batch."""
        return pack(self.model_dump(mode="json"))

    @classmethod
    def unpacked(cls, text: str | None) -> Record | None:
        """What :meth:`packed` gave; None where there is none, or one that a newer program wrote."""
        document: dict[str, Any] = unpack(text)
        return cls.model_validate(document) if document.get("version") == VERSION else None

    def total(self, name: str, kind: str | None = None) -> int:
        """An outcome over one kind, or over all."""
        return sum(found[name] for each, found in self.outcomes.items() if kind in (None, each))
