"""Times in declared formats, and what a change of clocks makes of local ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

import polars as pl

from graphprofile.ingest.columns import first, keep, localised, nulls, plain_dtype, times
from graphprofile.ingest.mapped.patterns import ISO, NUMBERS
from graphprofile.ingest.times import DAY_MS, TimeUnit

_EXCEL_DAYS = {"excel": 25_569, "excel_1904": 24_107}
"""Days from a workbook's first one to 1970."""
_SERIAL = r"^[0-9]{1,6}(?:\.[0-9]+)?$"
_ZONED = r"[Tt ]\d.*(?:[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$|^[+-]?\d{5,}(?:\.\d+)?$"
_PLAIN = r"^[+-]?\d{5,}(?:\.\d+)?$"
_EPOCH = datetime(1970, 1, 1)

Ambiguous = Literal["earliest", "latest", "reject"]
Nonexistent = Literal["shift", "reject"]
Errors = dict[int, str]


def read_times(
    column: pl.Series,
    formats: list[str],
    zone: tzinfo,
    ambiguous: Ambiguous,
    nonexistent: Nonexistent,
) -> tuple[pl.Series, Errors]:
    """A column as moments in UTC, null where there is none.

    Args:
        column: As the source has it, cleaned.
        formats: Tried in order; the first that fits a value reads it.
        zone: Of times that name none.
        ambiguous: Which one a local time is that comes twice.
        nonexistent: What becomes of a local time that is skipped.

    Returns:
        Datetimes (ms, UTC); position -> reason of those that cannot be read. Where a value is no more than a year or a
        month, text that the checks read with that precision.
    """
    column = plain_dtype(column)
    if column.dtype != pl.String:
        ms, _, errors = times(column, zone, _unit(formats))
        return _as_moments(ms), {row: why for row, why in errors.items() if column[row] is not None}
    text = column.str.strip_chars()
    text = keep(text, text.str.len_bytes() > 0)
    local, absolute = nulls(text, pl.Int64), nulls(text, pl.Int64)
    precise: dict[int, str] = {}
    for form in formats or [ISO]:
        rest = keep(text, (local.is_null() & absolute.is_null()))
        if rest.null_count() == len(rest):
            break
        if form == ISO:
            # Where numbers have a format of their own, ISO 8601 does not take them for seconds.
            if any(number in formats for number in NUMBERS):
                rest = keep(rest, ~rest.str.contains(_PLAIN))
            one, other, precise = _iso(rest)
        elif form in NUMBERS:
            one, other = _numbers(rest, form)
        else:
            one, other = _written(rest, form)
        local, absolute = first(local, one), first(absolute, other)
    moments, errors = localise(local, zone, ambiguous, nonexistent)
    ms = first(absolute, moments)
    open_rows = (ms.is_null() & text.is_not_null()).arg_true().to_list()
    told = " or ".join(formats or ["ISO 8601"])
    for row in open_rows:
        errors.setdefault(row, f"{text[row][:60]!r} is no time written as {told}")
    found = _as_moments(ms)
    if precise:
        whole = found.dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ").to_list()
        for row, value in precise.items():
            whole[row] = value
        found = pl.Series(column.name, whole, dtype=pl.String)
    return found, errors


def localise(
    local: pl.Series, zone: tzinfo, ambiguous: Ambiguous, nonexistent: Nonexistent
) -> tuple[pl.Series, Errors]:
    """Milliseconds of a local clock as UTC; on days when clocks change every distinct time is looked at."""
    moments = localised(local, zone)
    changing = moments.is_null() & local.is_not_null()
    if not changing.any():
        return moments, {}
    known: dict[int, int | str] = {}
    for value in keep(local, changing).drop_nulls().unique().to_list():
        known[value] = _one(value, zone, ambiguous, nonexistent)
    table = {value: found for value, found in known.items() if isinstance(found, int)}
    if table:
        looked = keep(local, changing).replace_strict(table, default=None, return_dtype=pl.Int64)
        moments = first(moments, looked)
    refused = (moments.is_null() & local.is_not_null()).arg_true().to_list()
    return moments, {row: str(known[local[row]]) for row in refused}


def _one(ms: int, zone: tzinfo, ambiguous: Ambiguous, nonexistent: Nonexistent) -> int | str:
    """One local time in UTC, or why not."""
    try:
        wall = _EPOCH + timedelta(milliseconds=ms)
        early, late = (zone.utcoffset(wall.replace(tzinfo=zone, fold=fold)) or timedelta() for fold in (0, 1))
    except OverflowError:
        return "is outside the years 1 to 9999"
    shift = timedelta(milliseconds=1)
    if early == late:
        return ms - early // shift
    # The offset before the change is the larger one where clocks go back.
    if early > late:
        if ambiguous == "reject":
            return f"{wall.isoformat(' ')} comes twice in {zone}: the clocks go back"
        return ms - (early if ambiguous == "earliest" else late) // shift
    if nonexistent == "reject":
        return f"{wall.isoformat(' ')} does not exist in {zone}: the clocks go forward"
    return ms - early // shift


def _iso(text: pl.Series) -> tuple[pl.Series, pl.Series, dict[int, str]]:
    """ISO 8601 and numbers since 1970 by their size: local, absolute, and what is a year or a month alone."""
    at = text.is_not_null().arg_true()
    given = text.drop_nulls()
    ms, precision, _ = times(given, UTC, None)
    zoned = given.str.contains(_ZONED)
    short = precision.is_not_null().arg_true().to_list()
    return (
        _spread(keep(ms, ~zoned), at, len(text)),
        _spread(keep(ms, zoned), at, len(text)),
        {at[row]: given[row] for row in short},
    )


def _numbers(text: pl.Series, form: str) -> tuple[pl.Series, pl.Series]:
    if form in _EXCEL_DAYS:
        serial = keep(text, text.str.contains(_SERIAL)).cast(pl.Float64, strict=False)
        ms = ((serial - _EXCEL_DAYS[form]) * DAY_MS).round().cast(pl.Int64, strict=False)
        return ms, nulls(text, pl.Int64)
    fits = text.str.contains(r"^[+-]?\d+(?:\.\d+)?$").fill_null(False)
    ms, _, _ = times(text.filter(fits), UTC, _unit([form]))
    return nulls(text, pl.Int64), _spread(ms, fits.arg_true(), len(text))


def _spread(values: pl.Series, at: pl.Series, height: int) -> pl.Series:
    """Values at their rows, null elsewhere."""
    if len(values) == height:
        return values
    return pl.Series(values.name, [], dtype=pl.Int64).clear(height).scatter(at, values)


def _written(text: pl.Series, form: str) -> tuple[pl.Series, pl.Series]:
    parsed = text.str.to_datetime(form, strict=False, time_unit="ms")
    ms = parsed.to_physical().cast(pl.Int64)
    zoned = isinstance(parsed.dtype, pl.Datetime) and parsed.dtype.time_zone is not None
    return (nulls(text, pl.Int64), ms) if zoned else (ms, nulls(text, pl.Int64))


def _unit(formats: list[str]) -> TimeUnit | None:
    units: dict[str, TimeUnit] = {"epoch_s": "s", "epoch_ms": "ms", "epoch_us": "us", "epoch_ns": "ns"}
    return next((units[form] for form in formats if form in units), None)


def _as_moments(ms: pl.Series) -> pl.Series:
    return ms.cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
