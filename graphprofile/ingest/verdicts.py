"""Which rows of a chunk cannot be used, and why: shared by the checks of events and of descriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from graphprofile.ingest.columns import Errors, nulls, plain_dtype, settle
from graphprofile.ingest.fields import is_missing
from graphprofile.ingest.mapping import FLAGS, OPTIONAL, REJECT, REQUIRED, property_name
from graphprofile.records import Kind, RawChunk, Rejection

Rule = Callable[[Any], Any]


@dataclass
class Verdicts:
    """The first reason of each row that cannot be used.

    Attributes:
        reasons: Position in the chunk -> (field, reason).
    """

    reasons: dict[int, tuple[str, str]] = field(default_factory=dict)

    def add(self, name: str, errors: Errors) -> None:
        """Note what a field's check found; a row's first reason stays."""
        for row, reason in errors.items():
            self.reasons.setdefault(row, (name, reason))

    def mask(self, height: int) -> pl.Series:
        """True for the rows that cannot be used."""
        bad = np.zeros(height, dtype=bool)
        bad[list(self.reasons)] = True
        return pl.Series(bad)


def column_of(frame: pl.DataFrame, name: str) -> pl.Series:
    """A column, or nulls as text where the frame has none of that name."""
    if name in frame.columns:
        return frame[name]
    return pl.Series(name, [], dtype=pl.String).clear(frame.height)


def each(column: pl.Series, rule: Rule) -> tuple[list[Any], Errors]:
    """One value after the other by a rule that raises ``ValueError`` with the reason."""
    answers: list[Any] = []
    errors: Errors = {}
    for row, value in enumerate(plain_dtype(column).to_list()):
        try:
            answers.append(rule(value))
        except ValueError as error:
            answers.append(None)
            errors[row] = str(error)
    return answers, errors


def mapped(column: pl.Series, rule: Rule) -> tuple[pl.Series, Errors]:
    """Text by a rule; every distinct text is looked at once."""
    column = plain_dtype(column)
    fast = nulls(column, pl.String)
    if column.dtype != pl.String:
        return settle(fast, column, rule)
    table: dict[str, str] = {}
    wrong: dict[str | None, str] = {}
    for value in column.unique().to_list():
        try:
            table[value] = rule(value)
        except ValueError as error:
            wrong[value] = str(error)
    if table:
        fast = column.replace_strict(table, default=None, return_dtype=pl.String)
    if not fast.null_count():
        return fast, {}
    values = column.to_list()
    return fast, {row: wrong[values[row]] for row in fast.is_null().arg_true().to_list()}


def property_columns(frame: pl.DataFrame, kind: Kind, bad: Verdicts) -> Iterable[tuple[str, str]]:
    """(property, column) of every column that is no generic one."""
    roles = {*REQUIRED[kind], *OPTIONAL[kind], REJECT}
    # In this order, so that what is said of a row does not depend on the rows beside it.
    for source in sorted(frame.columns):
        if source in roles:
            continue
        if source == FLAGS:
            yield FLAGS[1:], source
            continue
        try:
            yield property_name(source, kind), source
        except ValueError as error:
            rows = [row for row, value in enumerate(frame[source].to_list()) if not is_missing(value)]
            bad.add(source[:60] or "row", dict.fromkeys(rows, str(error)))


def coalesced(first: list[Any] | None, second: list[Any], source: str, bad: Verdicts) -> list[Any]:
    """Two columns under one property name: a row may use either, not both."""
    if first is None:
        return second
    both = [row for row, pair in enumerate(zip(first, second, strict=True)) if None not in pair]
    bad.add(source, dict.fromkeys(both, "another column has the same property name: use --map to rename one"))
    return [one if one is not None else other for one, other in zip(first, second, strict=True)]


def add_loader_reasons(frame: pl.DataFrame, bad: Verdicts) -> None:
    """Take over what the loader or the mapping refused."""
    if REJECT not in frame.columns:
        return
    reasons = frame[REJECT]
    given = reasons.is_not_null()
    for row, text in zip(given.arg_true().to_list(), reasons.filter(given).to_list(), strict=True):
        name, _, reason = str(text).partition(": ")
        bad.add(name if reason else "row", {row: reason or name})


def as_it_was(row: dict[str, Any], fixed_columns: bool) -> dict[str, Any]:
    """A row of the source without the fields that it did not bring."""
    return row if fixed_columns else {name: value for name, value in row.items() if value is not None}


def rejections(raw: RawChunk, bad: Verdicts, original: pl.DataFrame) -> list[Rejection]:
    """The refused rows of a chunk, in order, as the source gave them."""
    if not bad.reasons:
        return []
    lines: Sequence[int] = raw.lines
    at = sorted(bad.reasons)
    return [
        Rejection(raw.source, lines[row], *bad.reasons[row], as_it_was(values, raw.fixed_columns), raw.kind)
        for row, values in zip(at, original[at].rows(named=True), strict=True)
    ]
