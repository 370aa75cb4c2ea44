"""Times as epoch milliseconds, from whatever way a source writes them.

Accepted: ISO 8601 (``2010-12-01``, ``2010-12-01 08:26``, ``2010-12-01T08:26:00.5+01:00``,
``20101201T082600Z``), a year or a month alone (the start of it, with a precision), and numbers since 1970:
seconds below 10^11, milliseconds above, or the unit the caller names. A time without a zone is
read in the source's zone. A local time that a change of clocks repeats is its first occurrence; one that it
skips is read with the offset before the change, so it lands as much after it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib.resources import files
from numbers import Integral, Real
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from graphprofile.errors import UsageError
from graphprofile.ingest.fields import NUMBER, WHITESPACE, is_missing, shown

TimeUnit = Literal["s", "ms", "us", "ns"]
TIME_UNITS: tuple[TimeUnit, ...] = ("s", "ms", "us", "ns")

SECONDS_BELOW = 10**11
EARLIEST_MS = -62_135_596_800_000
LATEST_MS = 253_402_300_799_999
DAY_MS = 86_400_000

_EPOCH = datetime(1970, 1, 1)
_ZONE = r"(?P<zone>[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
_EXTENDED = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
    r"(?:[Tt ](?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)? ?"
    + _ZONE
    + r")?\Z",
    re.ASCII,
)
_BASIC = re.compile(
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})T(?P<hour>\d{2})(?P<minute>\d{2})"
    r"(?:(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?" + _ZONE + r"\Z",
    re.ASCII,
)
_YEAR = re.compile(r"\d{4}\Z", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})\Z", re.ASCII)
_SLASHED = re.compile(r"\d{1,4}[/.]\d{1,2}[/.]\d{1,4}")
_PER_SECOND: dict[TimeUnit, int] = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

FUTURE = "is more than a day in the future"
TOO_EARLY = "is before the year 1"
TOO_LATE = "is after the year 9999; if the number is in another unit, say --time-unit"


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """The time zone of an IANA name such as ``Europe/Paris``.

    The rules come from the ``tzdata`` package, not from the machine, so that one file gives the same times
    everywhere.

    Raises:
        UsageError: No such zone.
    """
    if name.upper() in ("UTC", "Z", "GMT"):
        return UTC
    if re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", name):
        path = files("tzdata").joinpath("zoneinfo", *name.split("/"))
        try:
            with path.open("rb") as stream:
                return ZoneInfo.from_file(stream, key=name)
        except (OSError, ValueError, ZoneInfoNotFoundError):
            pass
    raise UsageError(f"Unknown time zone {name!r}.", "Use a name such as Europe/Paris or UTC.")


def parse_time(value: Any, zone: tzinfo = UTC, unit: TimeUnit | None = None) -> tuple[int, str | None]:
    """One time as (epoch ms, precision).

    Args:
        value: Text, number, ``datetime`` or ``date``.
        zone: Zone of times that name none.
        unit: Unit of numbers; None tells seconds and milliseconds by their size.

    Returns:
        Milliseconds since 1970 in UTC, rounded down; precision is None (exact to the day or better),
        ``month`` or ``year``.

    Raises:
        ValueError: The reason, for the quarantine.
    """
    if is_missing(value):
        raise ValueError("is missing: every event needs a time")
    if isinstance(value, str):
        return _parse_text(value.strip(WHITESPACE), zone, unit)
    if isinstance(value, bool):
        raise ValueError(f"{value} is no time")
    if isinstance(value, (Integral, Real, Decimal)):
        return _from_number(value, unit), None
    if isinstance(value, datetime):
        return _bounded(_to_ms(value.replace(tzinfo=None), value.tzinfo or zone, value.fold)), None
    if isinstance(value, date):
        return _bounded(_to_ms(datetime(value.year, value.month, value.day), zone)), None
    raise ValueError(f"{shown(value)} is no time: use ISO 8601 or a number")


def _parse_text(text: str, zone: tzinfo, unit: TimeUnit | None) -> tuple[int, str | None]:
    if NUMBER.match(text) and not (unit is None and _YEAR.match(text)):
        return _from_number(text, unit), None
    if _YEAR.match(text):
        return _start(int(text), 1, zone, text), "year"
    month = _MONTH.match(text)
    if month:
        return _start(int(month[1]), int(month[2]), zone, text), "month"
    found = _EXTENDED.match(text) or _BASIC.match(text)
    if not found:
        if _SLASHED.match(text):
            raise ValueError(f"{shown(text)} may be read in several ways: write it as 2010-12-01T08:26:00")
        raise ValueError(f"{shown(text)} is no time: use ISO 8601 (2010-12-01T08:26:00Z) or a number")
    second = int(found["second"] or 0)
    # ISO 8601 knows 23:59:60; a clock that counts seconds since 1970 does not: it is the next second.
    leap = 1000 if second == 60 else 0
    try:
        moment = datetime(
            _year(int(found["year"]), text),
            int(found["month"]),
            int(found["day"]),
            int(found["hour"] or 0),
            int(found["minute"] or 0),
            min(second, 59) if leap else second,
            int((found["fraction"] or "").ljust(6, "0")[:6]),
        )
    except ValueError as error:
        raise ValueError(f"{shown(text)}: {error}") from error
    return _bounded(_to_ms(moment, _offset(found["zone"], zone, text)) + leap), None


def _offset(text: str | None, zone: tzinfo, whole: str) -> tzinfo | timedelta:
    if text is None:
        return zone
    if text[0] not in "+-":
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].replace(":", "") or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(f"{shown(whole)}: there is no offset {text}")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if text[0] == "-" else offset


def _year(year: int, text: str) -> int:
    if year < 1:
        raise ValueError(f"{shown(text)} {TOO_EARLY}")
    return year


def _start(year: int, month: int, zone: tzinfo, text: str) -> int:
    if not 1 <= month <= 12:
        raise ValueError(f"{shown(text)}: there is no month {month}")
    return _bounded(_to_ms(datetime(_year(year, text), month, 1), zone))


def _to_ms(local: datetime, zone: tzinfo | timedelta, fold: int = 0) -> int:
    offset = zone if isinstance(zone, timedelta) else zone.utcoffset(local.replace(tzinfo=zone, fold=fold))
    return (local - _EPOCH - (offset or timedelta())) // timedelta(milliseconds=1)


def _bounded(ms: int) -> int:
    if ms < EARLIEST_MS:
        raise ValueError(TOO_EARLY)
    if ms > LATEST_MS:
        raise ValueError(TOO_LATE)
    return ms


def looks_like_day(number: int) -> bool:
    """Whether a number reads as a day written YYYYMMDD between 1900 and 2099."""
    if not 19_000_101 <= number <= 20_991_231:
        return False
    return 1 <= number // 100 % 100 <= 12 and 1 <= number % 100 <= 31


def _from_number(number: Any, unit: TimeUnit | None) -> int:
    try:
        # The shortest text of a float is what its writer meant; its binary value may lie a hair below.
        exact = number if isinstance(number, Decimal) else Decimal(str(number))
    except InvalidOperation as error:
        raise ValueError(f"{shown(str(number))} is no time") from error
    if not exact.is_finite():
        raise ValueError(f"{number} is no time")
    # Judged by the exponent, before any arithmetic: a decimal may be too large even to be compared.
    if not exact or exact.adjusted() < -30:
        exact = Decimal(0)
    elif exact.adjusted() > 21:
        raise ValueError(f"{shown(str(number))} is too large for a time")
    if unit is None:
        if exact == int(exact) and looks_like_day(int(exact)):
            raise ValueError(
                f"{int(exact)} may be a day or seconds since 1970: write 2010-12-01, or say --time-unit s"
            )
        unit = "s" if abs(exact) < SECONDS_BELOW else "ms"
    ms = exact * 1000 / _PER_SECOND[unit]
    return _bounded(int(ms.to_integral_value(rounding="ROUND_FLOOR")))


def check_future(ms: int, now_ms: int) -> None:
    """Refuse a time more than a day after ``now_ms``.

    Raises:
        ValueError: The reason, for the quarantine.
    """
    if ms > now_ms + DAY_MS:
        moment = _EPOCH + timedelta(milliseconds=ms)
        raise ValueError(f"{moment.isoformat()}Z {FUTURE}")
