"""Columns of a chunk, cleaned as declared; every rule's changes are counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from graphprofile.ingest.columns import keep, nulls
from graphprofile.ingest.fields import shown
from graphprofile.ingest.mapped.model import Rules
from graphprofile.ingest.mapped.moments import read_times
from graphprofile.ingest.mapped.parts import Column, Convert
from graphprofile.ingest.mapped.texts import (
    as_text,
    booleans,
    lists,
    numbers_of,
    text_rules,
    whole_numbers,
)
from graphprofile.ingest.times import zone

LEAST = 20
"""Fewer numbers say nothing of what is usual."""
_SCALED_MAD, _SCALED_MEAN = 0.6745, 0.7979


@dataclass(frozen=True)
class Usual:
    """What numbers of a column are usual: all between ``low`` and ``high``."""

    low: float
    high: float


@dataclass
class Cleaned:
    """The columns of one chunk, cleaned.

    Attributes:
        columns: Cleaned values under the source's names.
        originals: Values as they were, null where nothing was changed; of columns that keep them.
        refused: (column, position -> reason) of values that cannot be used.
        flags: Column -> whether its number is unusual.
        changed: (column, rule) -> values that the rule changed.
    """

    columns: dict[str, pl.Series] = field(default_factory=dict)
    originals: dict[str, pl.Series] = field(default_factory=dict)
    refused: list[tuple[str, dict[int, str]]] = field(default_factory=list)
    flags: dict[str, pl.Series] = field(default_factory=dict)
    changed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, column: str, rule: str, before: pl.Series, after: pl.Series) -> None:
        """Count what a rule changed."""
        if after is not before:
            self.changed[column, rule] += int(before.ne_missing(after).sum())


def clean(frame: pl.DataFrame, rules: Rules, usual: dict[str, Usual]) -> Cleaned:
    """All columns of a chunk by their rules.

    Args:
        frame: The columns that are needed, under the source's names.
        rules: The mapping.
        usual: Of columns whose outliers are flagged.
    """
    done = Cleaned()
    for name in frame.columns:
        done.columns[name] = _column(frame[name], name, rules, done)
    # Units need other columns, which are clean by now.
    for name in frame.columns:
        convert = rules.column(name).convert
        if convert is not None:
            before = done.columns[name]
            after = _converted(before, convert, done, name, rules)
            done.count(name, "convert", before, after)
            done.columns[name] = after
        if name in usual:
            bounds, value = usual[name], done.columns[name].cast(pl.Float64)
            odd = ((value < bounds.low) | (value > bounds.high)).fill_null(False)
            if odd.any():
                done.flags[name] = odd
                done.changed[name, "outlier"] += int(odd.sum())
    for name in frame.columns:
        if rules.column(name).keep_original:
            done.originals[name] = _original(frame[name], done.columns[name])
    return done


def _column(raw: pl.Series, name: str, rules: Rules, done: Cleaned) -> pl.Series:
    own = rules.column(name)
    column = raw
    steps = list(text_rules(own))
    if raw.dtype != pl.String and (
        own.map or own.replace or own.missing or own.unquote or raw.dtype == pl.Object
    ):
        column = as_text(raw)
    if column.dtype == pl.String:
        for rule, change in steps:
            after = change(column)
            done.count(name, rule, column, after)
            if rule == "map" and own.unknown == "reject":
                _refuse_unknown(column, after, name, done)
            column = after
    if own.on_missing != "null":
        column = _missing(column, own, name, done)
    return _typed(column, own, name, rules, done)


def _refuse_unknown(before: pl.Series, after: pl.Series, name: str, done: Cleaned) -> None:
    rows = (after.is_null() & before.is_not_null()).arg_true().to_list()
    if rows:
        done.refused.append(
            (name, {row: f"{shown(before[row])} is not in the map of the column" for row in rows})
        )


def _missing(column: pl.Series, own: Column, name: str, done: Cleaned) -> pl.Series:
    empty = column.is_null()
    if column.dtype == pl.String:
        empty |= (column == "").fill_null(False)
    if not empty.any():
        return column
    if own.on_missing == "reject":
        done.refused.append((name, dict.fromkeys(empty.arg_true().to_list(), "is missing")))
        return column
    if column.dtype == pl.String:
        filled = column.zip_with(~empty, pl.Series([str(own.default)]).new_from_index(0, len(column)))
    else:
        filled = column.fill_null(own.default)
    done.count(name, "default", column, filled)
    return filled


def _typed(column: pl.Series, own: Column, name: str, rules: Rules, done: Cleaned) -> pl.Series:
    errors: dict[int, str] = {}
    if own.number:
        text = column
        column, errors = numbers_of(
            text, own.decimal or rules.source.decimal, own.thousands or rules.source.thousands
        )
        if own.type == "int" and own.convert is None:
            column = whole_numbers(text, column, errors)
    elif own.type == "time" or own.formats:
        column, errors = moments(column, own.formats, own.time_zone, rules)
    elif own.type == "bool" and column.dtype != pl.Boolean:
        column, errors = booleans(as_text(column))
    elif own.type == "list":
        column = lists(as_text(column), own.separator)
    elif own.type == "text":
        column = as_text(column)
    if errors and own.on_invalid == "reject":
        done.refused.append((name, errors))
    elif errors:
        done.changed[name, "invalid"] += len(errors)
    return column.alias(name)


def moments(
    column: pl.Series, formats: list[str], zone_name: str | None, rules: Rules
) -> tuple[pl.Series, dict[int, str]]:
    """A column as times, by the file's zone and policies where the column says nothing."""
    source = rules.source
    return read_times(
        column, formats, zone(zone_name or source.time_zone), source.ambiguous, source.nonexistent
    )


def _converted(numbers: pl.Series, convert: Convert, done: Cleaned, name: str, rules: Rules) -> pl.Series:
    height = len(numbers)
    every = pl.Series([True]).new_from_index(0, height)
    factor = nulls(numbers, pl.Float64)
    unit = None if convert.unit is None else as_text(done.columns[convert.unit])
    day = None if convert.at is None else _days(done.columns[convert.at], convert.at, rules)
    for entry in convert.factors:
        mine = every
        if unit is not None and entry.unit is not None:
            mine = mine & (unit == entry.unit).fill_null(False)
        if day is not None and entry.since is not None:
            mine = mine & (day >= entry.since).fill_null(False)
        if day is not None and entry.until is not None:
            mine = mine & (day < entry.until).fill_null(False)
        mine = mine & factor.is_null()
        factor = factor.zip_with(~mine, pl.Series([float(entry.factor)]).new_from_index(0, height))
    # Rounded as far as a person writes: 6 at 2.55 are 15.3, not 15.299999999999999.
    product = (numbers.cast(pl.Float64) * factor).round_sig_figs(14)
    lost = numbers.is_not_null() & factor.is_null()
    if lost.any():
        if convert.unknown == "keep":
            product = product.zip_with(~lost, numbers.cast(pl.Float64))
        elif convert.unknown == "reject":
            of = f" for the {convert.unit}" if convert.unit else ""
            rows = lost.arg_true().to_list()
            told = {
                row: f"no factor{of}"
                + (f" {unit[row]!r}" if unit is not None else "")
                + (f" on {day[row]}" if day is not None else "")
                for row in rows
            }
            done.refused.append((name, told))
    return product.alias(name)


def _days(column: pl.Series, name: str, rules: Rules) -> pl.Series:
    """Days on the source's calendar."""
    if column.dtype == pl.String:
        column, _ = moments(column, rules.column(name).formats, rules.column(name).time_zone, rules)
    if column.dtype == pl.String:
        column = column.str.to_datetime(time_zone="UTC", strict=False)
    zone_name = rules.column(name).time_zone or rules.source.time_zone
    return column.dt.convert_time_zone(zone_name).dt.date()


def _original(raw: pl.Series, now: pl.Series) -> pl.Series:
    """The text as it was, where the value is another one now; what only became a number is the same value."""
    was = as_text(raw)
    if now.dtype == pl.String:
        return keep(was, was.ne_missing(now))
    if now.dtype.is_numeric():
        same = (was.cast(pl.Float64, strict=False) == now.cast(pl.Float64)).fill_null(False)
        return keep(was, ~same)
    return was


def usual_of(
    values: np.ndarray[Any, np.dtype[np.float64]], method: str, threshold: float | None
) -> Usual | None:
    """What is usual among numbers; None where they are too few, or all alike."""
    if len(values) < LEAST:
        return None
    if method == "iqr":
        low, high = np.percentile(values, [25, 75])
        reach = (3.0 if threshold is None else threshold) * (high - low)
        return Usual(low - reach, high + reach) if high > low else None
    middle = float(np.median(values))
    away = np.abs(values - middle)
    spread = float(np.median(away)) / _SCALED_MAD
    # More than half of the numbers are one and the same: the mean distance stands in, as Iglewicz and Hoaglin advise.
    spread = spread or float(np.mean(away)) / _SCALED_MEAN
    reach = (3.5 if threshold is None else threshold) * spread
    return Usual(middle - reach, middle + reach) if reach else None
