"""Stretches of time to count events in: days, weeks, months, quarters or years, whichever suit a span."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

EPOCH = date(1970, 1, 1)
_COARSE = {"year": (), "quarter": ("year",), "month": ("year",)}
_LONGEST_DAYS = date.max.toordinal() - EPOCH.toordinal()
_FIRST_DAY = date.min.toordinal() - EPOCH.toordinal()


@dataclass(frozen=True)
class Series:
    """Events per stretch of time.

    Attributes:
        bucket: day, week, month, quarter or year.
        dates: First day of each stretch, ISO 8601; none is left out between the first and the last.
        series: (name, events per stretch), the largest first.
        too_coarse: Events whose time is not known well enough for the stretches; they are in no series.
    """

    bucket: str
    dates: list[str]
    series: list[tuple[str, list[int]]]
    too_coarse: int


def bucket_of(days: float) -> str:
    """Stretches that suit a span of so many days."""
    if days <= 45:
        return "day"
    if days <= 180:
        return "week"
    if days <= 5 * 366:
        return "month"
    return "quarter" if days <= 50 * 366 else "year"


def too_coarse(bucket: str) -> tuple[str, ...]:
    """Values of ``ts_precision`` that say too little for a stretch."""
    return _COARSE.get(bucket, ("year", "month"))


def day_start(bucket: str) -> Callable[[int], date]:
    """The first day of the stretch that a day, as days since 1970-01-01, lies in."""
    if bucket not in ("day", "week"):
        months = month_start(bucket)

        def of_months(number: int) -> date:
            moment = EPOCH + timedelta(days=number)
            return months(moment.year * 12 + moment.month - 1)

        return of_months

    def start(number: int) -> date:
        moment = EPOCH + timedelta(days=number)
        return moment - timedelta(days=moment.weekday() if bucket == "week" else 0)

    return start


def month_start(bucket: str) -> Callable[[int], date]:
    """The same for a month, as year * 12 + month - 1."""
    months = {"month": 1, "quarter": 3, "year": 12}[bucket]

    def start(number: int) -> date:
        year, month = divmod(number - number % months, 12)
        return date(year, month + 1, 1)

    return start


def all_starts(first: date, last: date, bucket: str) -> list[date]:
    """Every stretch from first to last, also those in which nothing happened."""
    days = {"day": 1, "week": 7}.get(bucket)
    months = {"month": 1, "quarter": 3, "year": 12}.get(bucket, 0)
    found = [first]
    while found[-1] < last:
        if days:
            found.append(found[-1] + timedelta(days=days))
        else:
            year, month = divmod(found[-1].year * 12 + found[-1].month - 1 + months, 12)
            found.append(date(year, month + 1, 1))
    return found


def count_by_time(rows: Iterable[tuple[str, int, str, int]], most: int | None = None) -> Series | None:
    """Rows of days brought into stretches that suit their span.

    Args:
        rows: (name, day since 1970-01-01, precision, events).
        most: So many names at most, the largest; None takes all.

    Returns:
        None where there is nothing to show.
    """
    # A year before 1 or after 9999 has no date to be shown at.
    given = [row for row in rows if _FIRST_DAY <= row[1] <= _LONGEST_DAYS]
    if not given:
        return None
    days = [day for _, day, _, _ in given]
    bucket = bucket_of(max(days) - min(days) + 1)
    if all(precision in too_coarse(bucket) for _, _, precision, _ in given):
        bucket = "year"
    coarse = too_coarse(bucket)
    start = day_start(bucket)
    counts: dict[str, Counter[date]] = {}
    left_out = 0
    for name, day, precision, events in given:
        if precision in coarse:
            left_out += events
        else:
            counts.setdefault(name, Counter())[start(day)] += events
    sums = {name: sum(counter.values()) for name, counter in counts.items()}
    names = sorted(sums, key=lambda name: (-sums[name], name))[:most]
    known = [moment for name in names for moment in counts[name]]
    dates = all_starts(min(known), max(known), bucket)
    return Series(
        bucket,
        [moment.isoformat() for moment in dates],
        [(name, [counts[name][moment] for moment in dates]) for name in names],
        left_out,
    )
