"""Whole columns of the generic fields, checked at once.

The rules stand in ``fields`` and ``times``, one value at a time. Here a fast way settles the common forms of
a whole column; whatever it does not settle goes through the rule itself. The answers are the same either way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from graphprofile.ingest.canonical import canonical_number, canonical_value
from graphprofile.ingest.fields import MAX_ID, identifier, number, property_value
from graphprofile.ingest.times import DAY_MS, EARLIEST_MS, LATEST_MS, SECONDS_BELOW, TimeUnit, parse_time

Errors = dict[int, str]
"""Position in the chunk -> reason."""

_CONTROL = r"[\x00-\x1f\x7f-\x9f]"
_JSON_SPECIAL = r'["\\\x00-\x1f]'
_NOT_PLAIN = r"[^\x21-\x7e]"
_NOT_IN_NUMBERS = r"[^-+0-9.eE]"
_JOINED = 64 << 20
_ISO = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
    r"(?:Z|(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})?)$"
)
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_DIVIDE: dict[str, tuple[int, int]] = {"s": (1000, 1), "ms": (1, 1), "us": (1, 1000), "ns": (1, 1_000_000)}
_INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)
_FLOATS = (pl.Float32, pl.Float64)
_EXACT = 2**53
_LARGEST = 10**18


def plain_dtype(column: pl.Series) -> pl.Series:
    """Categories as text and decimals as float64; anything else as it is."""
    if isinstance(column.dtype, (pl.Categorical, pl.Enum)):
        return column.cast(pl.String)
    if isinstance(column.dtype, pl.Decimal):
        return column.cast(pl.Float64)
    return column


def holds(column: pl.Series, characters: str) -> bool:
    """Whether any value may hold one of the characters, given as a regular expression.

    One look at all values joined costs less than a look at each of them. Very long text is not joined.
    """
    if column.str.len_bytes().sum() > _JOINED:
        return True
    return bool(column.str.join("").str.contains(characters).any())


def clean_texts(column: pl.Series) -> pl.Series:
    """Trimmed NFC text."""
    text = column.str.strip_chars()
    if (text.str.len_bytes() != text.str.len_chars()).any():
        text = text.str.normalize("NFC").str.strip_chars()
    return text


def settle(
    fast: pl.Series,
    source: pl.Series,
    rule: Callable[[Any], Any],
    open_rows: pl.Series | None = None,
) -> tuple[pl.Series, Errors]:
    """Put the rule's answers where the fast way has none.

    Args:
        fast: Answers so far, null where open.
        source: The column as it came.
        rule: One value's rule; raises ``ValueError`` with the reason.
        open_rows: Which rows are open; the nulls of ``fast`` by default.
    """
    if open_rows is None and not fast.null_count():
        return fast, {}
    mask = fast.is_null() if open_rows is None else open_rows
    if not mask.any():
        return fast, {}
    rows = mask.arg_true().to_list()
    values = source.to_list()
    errors: Errors = {}
    answers: list[Any] = []
    for row in rows:
        try:
            answers.append(rule(values[row]))
        except ValueError as error:
            answers.append(None)
            errors[row] = str(error)
    if len(errors) < len(rows):
        whole = fast.to_list()
        for row, answer in zip(rows, answers, strict=True):
            whole[row] = answer
        fast = pl.Series(fast.name, whole, dtype=fast.dtype)
    return fast, errors


def identifiers(column: pl.Series) -> tuple[pl.Series, Errors]:
    """Ids as text."""
    column = plain_dtype(column)
    if column.dtype == pl.String:
        if holds(column, _NOT_PLAIN):
            text = clean_texts(column)
            good = ~text.str.contains(_CONTROL) & text.str.len_chars().is_between(1, MAX_ID)
        else:
            text, good = column, column.str.len_bytes().is_between(1, MAX_ID)
        fast = keep(text, good)
    elif column.dtype in _INTEGERS:
        fast = column.cast(pl.String)
    elif column.dtype in _FLOATS:
        wide = column.cast(pl.Float64)
        fast = keep(wide, _whole(wide)).cast(pl.Int64).cast(pl.String)
    else:
        fast = nulls(column, pl.String)
    return settle(fast, column, identifier)


def numbers(column: pl.Series) -> tuple[pl.Series, Errors]:
    """Finite float64, null where there is none."""
    column = plain_dtype(column)
    if column.dtype == pl.String:
        odd = holds(column, _NOT_IN_NUMBERS)
        text = column.str.strip_chars() if odd else column
        fast = text.cast(pl.Float64, strict=False)
        good = fast.is_finite()
        if odd:
            good &= ~text.str.contains(_NOT_IN_NUMBERS)
        fast = keep(fast, good)
        open_rows = fast.is_null() & (text.str.len_bytes() > 0)
    elif column.dtype in _INTEGERS or column.dtype in _FLOATS:
        wide = column.cast(pl.Float64)
        fast = keep(wide, wide.is_finite())
        open_rows = fast.is_null() & column.is_not_null()
    else:
        fast, open_rows = nulls(column, pl.Float64), _not_null(column)
    settled, errors = settle(fast, column, number, open_rows.fill_null(False))
    return _unsigned_zero(settled), errors


def times(column: pl.Series, zone: tzinfo, unit: TimeUnit | None) -> tuple[pl.Series, pl.Series, Errors]:
    """Epoch milliseconds and precisions (null, ``month`` or ``year``)."""
    column = plain_dtype(column)
    fast = _fast_times(column, zone, unit)
    precision = nulls(column, pl.String)
    if not fast.null_count():
        return fast, precision, {}
    seen: dict[int, str] = {}
    rows = iter(fast.is_null().arg_true().to_list())

    def rule(value: Any) -> int:
        row = next(rows)
        ms, stated = parse_time(value, zone, unit)
        if stated:
            seen[row] = stated
        return ms

    settled, errors = settle(fast, column, rule)
    if seen:
        precision = pl.Series("ts_precision", [seen.get(row) for row in range(len(column))], dtype=pl.String)
    return settled, precision, errors


def _fast_times(column: pl.Series, zone: tzinfo, unit: TimeUnit | None) -> pl.Series:
    if column.dtype == pl.String:
        return _fast_text_times(column, zone, unit)
    if column.dtype in _INTEGERS:
        return _scaled(column.cast(pl.Int64), unit)
    if column.dtype in _FLOATS:
        wide = column.cast(pl.Float64)
        return _scaled(keep(wide, _whole(wide)).cast(pl.Int64), unit)
    if isinstance(column.dtype, pl.Datetime):
        per_ms = {"ms": 1, "us": 1_000, "ns": 1_000_000}[column.dtype.time_unit]
        ms = column.to_physical().cast(pl.Int64) // per_ms
        return _in_range(ms if column.dtype.time_zone else localised(ms, zone))
    if column.dtype == pl.Date:
        return _in_range(localised(column.to_physical().cast(pl.Int64) * DAY_MS, zone))
    return nulls(column, pl.Int64)


def _fast_text_times(column: pl.Series, zone: tzinfo, unit: TimeUnit | None) -> pl.Series:
    ms = _text_numbers(column, unit)
    if not ms.null_count():
        return ms
    text = column.str.strip_chars()
    iso = text.str.contains(_ISO)
    if iso.any():
        ms = first(ms, _iso_times(keep(text, iso), zone))
        if iso.all():
            return ms
    ms = first(ms, _text_numbers(text, unit))
    days = text.str.contains(_DAY)
    if days.any():
        parsed = keep(text, days).str.to_date("%Y-%m-%d", strict=False)
        ms = first(ms, _in_range(localised(parsed.to_physical().cast(pl.Int64) * DAY_MS, zone)))
    return ms


def _text_numbers(text: pl.Series, unit: TimeUnit | None) -> pl.Series:
    """Whole numbers written out, save those that may be a year."""
    values = text.cast(pl.Int64, strict=False)
    if values.null_count() == len(values):
        return values
    return _scaled(keep(values, ~values.is_between(-9999, 9999)), unit)


def _iso_times(text: pl.Series, zone: tzinfo) -> pl.Series:
    body = text.str.head(19)
    if holds(body, " "):
        body = body.str.replace(" ", "T", literal=True)
    # Few moments come twice, and the cache takes half as long again.
    parsed = body.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="ms", strict=False, cache=False)
    ms = parsed.to_physical().cast(pl.Int64)
    length = text.str.len_bytes()
    zulu = text.str.ends_with("Z")
    if (length > 20).any() or ((length == 20) & ~zulu).any():
        fraction = text.str.extract(r"\.([0-9]{1,3})").fill_null("").str.pad_end(3, "0").cast(pl.Int64)
        sign = text.str.slice(19).str.extract(r"([+-])[0-9]{2}:[0-9]{2}$")
        hours = text.str.slice(-5, 2).cast(pl.Int64, strict=False)
        minutes = text.str.slice(-2).cast(pl.Int64, strict=False)
        offset = keep((hours * 60 + minutes) * 60_000, sign.is_not_null() & (hours < 24) & (minutes < 60))
        offset = offset * sign.replace_strict({"+": 1, "-": -1}, default=None, return_dtype=pl.Int64)
        zoned = zulu | sign.is_not_null()
        ms = ms + fraction
        offset = first(offset, keep(pl.zeros(len(text), dtype=pl.Int64, eager=True), zulu))
        local = keep(ms, ~zoned)
        return _in_range(first(keep(ms, zoned) - offset, localised(local, zone)))
    if zone is UTC:
        return _in_range(ms)
    return _in_range(first(keep(ms, zulu), localised(keep(ms, ~zulu), zone)))


def localised(local: pl.Series, zone: tzinfo) -> pl.Series:
    """Local milliseconds as UTC; null on days when the clocks change, which the rule itself decides."""
    if zone is UTC or local.is_null().all():
        return local
    day = (local // DAY_MS).to_numpy()
    known = ~np.isnan(day) if day.dtype.kind == "f" else np.ones(len(day), dtype=bool)
    unique, inverse = np.unique(day[known].astype(np.int64), return_inverse=True)
    offsets = [_day_offset(int(number), zone) for number in unique]
    by_row = np.full(len(day), np.nan)
    by_row[known] = np.array(offsets, dtype=np.float64)[inverse]
    offset = pl.Series(by_row, nan_to_null=True).cast(pl.Int64)
    return local - offset


@lru_cache(maxsize=1 << 16)
def _day_offset(day: int, zone: tzinfo) -> float:
    """The zone's offset in ms on a day since 1970, NaN where it is not one and the same all day."""
    try:
        start = datetime(1970, 1, 1, tzinfo=zone) + timedelta(days=day)
        offsets = {(start + timedelta(hours=hours)).utcoffset() for hours in range(0, 25, 2)}
    except OverflowError:
        return float("nan")
    offset = offsets.pop()
    if offsets or offset is None:
        return float("nan")
    return offset / timedelta(milliseconds=1)


def _scaled(values: pl.Series, unit: TimeUnit | None) -> pl.Series:
    values = keep(values, values.is_between(-_LARGEST, _LARGEST))
    if unit is None:
        month, day = values // 100 % 100, values % 100
        like_day = values.is_between(19_000_101, 20_991_231) & month.is_between(1, 12) & day.is_between(1, 31)
        seconds = keep(values, (values.abs() < SECONDS_BELOW) & ~like_day) * 1000
        return _in_range(first(seconds, keep(values, values.abs() >= SECONDS_BELOW)))
    factor, divisor = _DIVIDE[unit]
    small = keep(values, values.abs() < 2**53)
    return _in_range(small * factor // divisor)


def texts_in_json(column: pl.Series) -> pl.Series:
    """Text as it stands between the quotes of a JSON string; null stays null."""
    if not holds(column, _JSON_SPECIAL):
        return column
    special = column.str.contains(_JSON_SPECIAL).fill_null(False)
    answers = column.to_list()
    for row in special.arg_true().to_list():
        answers[row] = json.dumps(answers[row], ensure_ascii=False)[1:-1]
    return pl.Series(column.name, answers, dtype=pl.String)


def texts_as_json(column: pl.Series) -> pl.Series:
    """Text as JSON strings; null stays null."""
    if column.null_count() == len(column):
        return column
    return pl.select(
        pl.concat_str(pl.lit('"'), texts_in_json(column), pl.lit('"')).alias(column.name)
    ).to_series()


def numbers_as_json(column: pl.Series) -> pl.Series:
    """Finite float64 as their canonical text; null stays null."""
    # In this range both libraries write the shortest digits without an exponent.
    size = column.abs()
    text = keep(_unsigned_zero(column), size.is_between(1e-3, 1e15, closed="left") | (size == 0)).cast(
        pl.String
    )
    if text.null_count() == column.null_count():
        return text
    rest = text.is_null() & column.is_not_null()
    return settle(text, column, canonical_number, rest)[0]


def properties_as_json(column: pl.Series) -> tuple[pl.Series, pl.Series, Errors]:
    """A property as (JSON text, canonical JSON text), null where there is none."""
    column = plain_dtype(column)
    if column.dtype == pl.String:
        text = clean_texts(column)
        quoted = texts_as_json(keep(text, text.str.len_bytes() > 0))
        return quoted, quoted, {}
    if column.dtype == pl.Boolean:
        spelled = column.cast(pl.String)
        return spelled, spelled, {}
    if column.dtype in _INTEGERS:
        return column.cast(pl.String), numbers_as_json(column.cast(pl.Float64)), {}
    if column.dtype in _FLOATS:
        wide = column.cast(pl.Float64).fill_nan(None)
        infinite = wide.is_infinite().fill_null(False)
        errors = {row: f"{wide[row]} is no finite number" for row in infinite.arg_true().to_list()}
        written = numbers_as_json(keep(wide, ~infinite))
        return written, written, errors
    native, canonical, errors = nulls(column, pl.String).to_list(), nulls(column, pl.String).to_list(), {}
    for row, value in enumerate(column.to_list()):
        if value is None:
            continue
        try:
            clean = property_value(value)
            if clean is not None:
                native[row] = json.dumps(clean, ensure_ascii=False, allow_nan=False)
                canonical[row] = canonical_value(clean)
        except ValueError as error:
            errors[row] = str(error)
    return pl.Series(native, dtype=pl.String), pl.Series(canonical, dtype=pl.String), errors


def property_values(column: pl.Series) -> tuple[list[Any], Errors]:
    """A property's clean values, None where there is none."""
    column = plain_dtype(column)
    if column.dtype == pl.String:
        text = clean_texts(column)
        return keep(text, text.str.len_bytes() > 0).to_list(), {}
    if column.dtype == pl.Boolean or column.dtype in _INTEGERS:
        return column.to_list(), {}
    values: list[Any] = column.to_list()
    errors: Errors = {}
    for row, value in enumerate(values):
        try:
            values[row] = property_value(value)
        except ValueError as error:
            errors[row] = str(error)
            values[row] = None
    return values, errors


def keep(values: pl.Series, mask: pl.Series) -> pl.Series:
    """Null where the mask is not true."""
    if mask.all(ignore_nulls=False):
        return values
    return values.zip_with(mask.fill_null(False), values.clear(len(values)))


def first(one: pl.Series, other: pl.Series) -> pl.Series:
    """One series, the other where it is null."""
    return one.zip_with(one.is_not_null(), other) if one.null_count() else one


def _in_range(ms: pl.Series) -> pl.Series:
    return keep(ms, ms.is_between(EARLIEST_MS, LATEST_MS))


def _whole(values: pl.Series) -> pl.Series:
    return values.is_finite() & (values == values.floor()) & (values.abs() <= _EXACT)


def _unsigned_zero(values: pl.Series) -> pl.Series:
    """Float64 with -0.0 as 0.0; adding 0.0 would do it, had Polars not left that out."""
    return values.zip_with(values != 0, values.abs())


def nulls(like: pl.Series, dtype: Any) -> pl.Series:
    """As many nulls as a series is long."""
    return pl.Series(like.name, [], dtype=dtype).clear(len(like))


def _not_null(column: pl.Series) -> pl.Series:
    return pl.Series([value is not None for value in column.to_list()], dtype=pl.Boolean)
