"""Regular expressions, time formats and zones of a mapping file, tried before anything is read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from graphprofile.errors import UsageError
from graphprofile.ingest.times import zone

NUMBERS = ("epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "excel", "excel_1904")
"""Names of formats that are numbers."""
ISO = "iso"


def check_pattern(given: Any) -> Any:
    """A regular expression that Polars takes.

    Raises:
        ValueError: What is wrong with it.
    """
    if isinstance(given, str):
        try:
            pl.Series([""]).str.contains(given)
        except pl.exceptions.ComputeError as error:
            lines = [line.strip() for line in str(error).partition("\n\n")[0].splitlines()]
            why = next((line for line in reversed(lines) if line.startswith("error: ")), "error: is none")
            raise ValueError(f"{given!r} is no regular expression: {why.removeprefix('error: ')}") from error
    return given


def check_time_format(given: Any) -> Any:
    """``iso``, one of :data:`NUMBERS`, or a strftime format that reads back a whole date.

    Raises:
        ValueError: It does not say which day it is.
    """
    if not isinstance(given, str) or given == ISO or given in NUMBERS:
        return given
    moment = datetime(2011, 12, 24, 13, 0)
    try:
        written = pl.Series([moment]).dt.replace_time_zone("UTC").dt.to_string(given)
        read = written.str.to_datetime(given, strict=False, time_unit="ms")
        whole = [None if value is None else value.date() for value in read.to_list()] == [moment.date()]
    except (pl.exceptions.PolarsError, ValueError):
        whole = False
    if not whole:
        known = ", ".join((ISO, *NUMBERS))
        raise ValueError(f"{given!r} is no time format: use {known}, or a pattern such as %d/%m/%Y %H:%M")
    return given


def check_zone(given: Any) -> Any:
    """A time zone that is known.

    Raises:
        ValueError: It is not.
    """
    if isinstance(given, str):
        try:
            zone(given)
        except UsageError as error:
            raise ValueError(f"{error.message} {error.hint or ''}".strip().removesuffix(".")) from error
    return given
