"""How many rows have a value in each column."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from graphprofile.ingest.fields import WHITESPACE, is_missing
from graphprofile.ingest.mapping import FLAGS, REJECT, REQUIRED, SKIP
from graphprofile.records import Kind

MOST_COLUMNS = 200
"""Columns beyond so many are not counted, only how many there are."""
_INTERNAL = (REJECT, SKIP, FLAGS, "_row")


@dataclass
class Filled:
    """Rows in columns, and in how many of them each column says something.

    Attributes:
        rows: Good and bad ones; not those whose text could not be split into columns.
        columns: Column -> rows with a value.
        more: Columns that are not counted, there being too many.
        flagged: What a mapping file flagged, e.g. ``outlier: price`` -> rows.
        events: The good ones among the rows, where these are events: operations on columns have a price of their own,
            so few large ones are cheaper than one for each chunk that they are written in.
    """

    rows: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    more: set[str] = field(default_factory=set)
    flagged: Counter[str] = field(default_factory=Counter)
    events: pl.DataFrame | None = None

    def add(self, other: Filled) -> None:
        """Take what was counted elsewhere."""
        self.rows += other.rows
        self.flagged.update(other.flagged)
        self.more |= other.more
        for name, count in other.columns.items():
            if name in self.columns or len(self.columns) < MOST_COLUMNS:
                self.columns[name] += count
            elif len(self.more) < MOST_COLUMNS:
                self.more.add(name)


def count_filled(frame: pl.DataFrame, kind: Kind, *, faultless: bool) -> Filled:
    """Count the values of a stretch of rows in the generic columns.

    Args:
        frame: As the mapping gave it.
        kind: What its rows describe.
        faultless: Whether none of them was refused: what every row needs is then there in all, and not looked at.
    """
    found = Filled(frame.height, Counter(dict.fromkeys(REQUIRED[kind], 0)))
    if not frame.height:
        return found
    for name in frame.columns:
        if name in _INTERNAL:
            continue
        if name not in found.columns and len(found.columns) >= MOST_COLUMNS:
            found.more.add(name)
        elif faultless and name in REQUIRED[kind]:
            found.columns[name] = frame.height
        else:
            found.columns[name] = frame.height - _empty(frame[name])
    if FLAGS in frame.columns:
        flags = frame[FLAGS].drop_nulls().explode().drop_nulls()
        found.flagged.update(dict(flags.value_counts().iter_rows()))
    return found


def _empty(column: pl.Series) -> int:
    """Nulls, blank text and NaN."""
    if column.dtype == pl.Object:
        # Values of several types: text may be among them.
        return sum(map(is_missing, column))
    empty = column.null_count()
    if column.dtype == pl.String:
        # Blank text begins before "!" or beyond ASCII: comparing costs a tenth of trimming, and few are left to trim.
        early = column.filter((column < "!") | (column >= "\u0085"))
        if len(early):
            empty += int((early.str.strip_chars(WHITESPACE) == "").sum())
    elif column.dtype.is_float():
        empty += int(column.is_nan().sum())
    return empty
