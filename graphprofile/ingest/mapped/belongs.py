"""Whose property a column is: by its name, else by what stays the same while it does, else by what it stands beside."""

from __future__ import annotations

from typing import Literal

import polars as pl

from graphprofile.ingest.mapped.names import named
from graphprofile.ingest.mapped.texts import as_text

SAME = 0.95
"""Of so many keys that come again a column says the same of each: it is the key's. A person may marry."""
Owner = Literal["user", "thing"]


def owner(frame: pl.DataFrame, column: str, user: str, thing: str | None) -> Owner | None:
    """Whether a column speaks of the user or of the thing of a row; None where it speaks of neither."""
    by_user, by_thing = same_for(frame, user, column), same_for(frame, thing, column)
    of_user = by_user is None or by_user >= SAME
    of_thing = thing is not None and (by_thing is None or by_thing >= SAME)
    if named("user", column):
        return "user" if of_user else None
    if named("object", column) or named("content", column):
        return "thing" if of_thing else None
    if of_user and of_thing:
        return _beside(frame.columns, column, user, str(thing))
    return "user" if of_user else "thing" if of_thing else None


def _beside(columns: list[str], column: str, user: str, thing: str) -> Owner:
    """The owner that stands nearer before the column; an id comes first as a rule."""

    def away(key: str) -> tuple[bool, int]:
        steps = columns.index(column) - columns.index(key)
        return steps < 0, abs(steps)

    return "user" if away(user) < away(thing) else "thing"


def same_for(frame: pl.DataFrame, key: str | None, column: str) -> float | None:
    """Part of a key's values for which a column is always the same; None where no value of the key comes again."""
    if key is None:
        return None
    pairs = pl.DataFrame([as_text(frame[key]).alias("key"), as_text(frame[column]).alias("value")])
    again = pairs.drop_nulls().group_by("key").agg(pl.len(), pl.col("value").n_unique().alias("values"))
    again = again.filter(pl.col("len") > 1)
    return float((again["values"] == 1).sum()) / again.height if again.height else None
