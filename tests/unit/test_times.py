"""Times: what every way of writing one means, and that columns and single values agree."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graphprofile.errors import UsageError
from graphprofile.ingest.columns import times
from graphprofile.ingest.times import EARLIEST_MS, check_future, parse_time, zone

DAY_2010 = 1_291_161_600_000
PARIS = zone("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "ms", "precision"),
    [
        ("2010-12-01", DAY_2010, None),
        ("2010-12-01T00:00:00Z", DAY_2010, None),
        ("2010-12-01 08:26:00", DAY_2010 + 30_360_000, None),
        ("2010-12-01 08:26", DAY_2010 + 30_360_000, None),
        ("2010-12-01t08:26:00z", DAY_2010 + 30_360_000, None),
        ("  2010-12-01 08:26:00 UTC ", DAY_2010 + 30_360_000, None),
        ("20101201T082600Z", DAY_2010 + 30_360_000, None),
        ("2010-12-01T08:26:00.123456789Z", DAY_2010 + 30_360_123, None),
        ("2010-12-01T08:26:00,5Z", DAY_2010 + 30_360_500, None),
        ("2010-12-01T01:00:00+01:00", DAY_2010, None),
        ("2010-12-01T01:00:00+0100", DAY_2010, None),
        ("2010-11-30T23:00:00-01", DAY_2010, None),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000, None),
        ("2010", 1_262_304_000_000, "year"),
        ("1485", -177_142 * 86_400_000, "year"),
        ("2010-12", DAY_2010, "month"),
        ("881250949", 881_250_949_000, None),
        ("881250949.0", 881_250_949_000, None),
        ("1291161600000", DAY_2010, None),
        ("-86400", -86_400_000, None),
        ("1293000000.123", 1_293_000_000_123, None),
        ("0001-01-01", EARLIEST_MS, None),
        ("-0e2000000000", 0, None),
        ("1e-2000000000", 0, None),
    ],
)
def test_text_means_this_moment(text: str, ms: int, precision: str | None) -> None:
    assert parse_time(text) == (ms, precision)


@pytest.mark.parametrize(
    ("value", "ms"),
    [
        (881_250_949, 881_250_949_000),
        (99_999_999_999, 99_999_999_999_000),
        (100_000_000_000, 100_000_000_000),
        (1293000000.123, 1_293_000_000_123),
        (Decimal("1293000000.1239"), 1_293_000_000_123),
        (date(2010, 12, 1), DAY_2010),
        (datetime(2010, 12, 1), DAY_2010),
        (datetime(2010, 12, 1, 1, tzinfo=timezone(timedelta(hours=1))), DAY_2010),
    ],
)
def test_values_mean_this_moment(value: Any, ms: int) -> None:
    assert parse_time(value) == (ms, None)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "is missing"),
        (None, "is missing"),
        ("31/12/2010", "may be read in several ways"),
        ("20101201", "may be a day or seconds"),
        (20101201, "may be a day or seconds"),
        ("2010-13-01", "month must be in 1..12"),
        ("2010-13", "there is no month 13"),
        ("2010-02-30", "day"),
        ("2010-12-01T25:00:00", "hour"),
        ("2010-12-01T08:26:00+25:00", "there is no offset"),
        ("0000-01-01", "before the year 1"),
        ("0000", "before the year 1"),
        ("0001-01-01T00:00:00+01:00", "before the year 1"),
        ("--01-07", "is no time"),
        ("yesterday", "is no time"),
        ("nan", "is no time"),
        (float("nan"), "is no time"),
        (float("inf"), "is no time"),
        ("1e30", "too large"),
        ("1e2000000000", "too large"),
        ("1e" + "9" * 30, "is no time"),
        (DAY_2010 * 1000, "after the year 9999; .* --time-unit"),
        (True, "is no time"),
        ([1], "is no time"),
    ],
)
def test_no_time_says_why(value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_time(value)


@pytest.mark.parametrize(
    ("unit", "number"),
    [("s", 1_291_161_600), ("ms", DAY_2010), ("us", DAY_2010 * 1000), ("ns", DAY_2010 * 10**6)],
)
def test_a_unit_overrides_the_size(unit: Any, number: int) -> None:
    assert parse_time(number, UTC, unit) == (DAY_2010, None)
    assert parse_time(str(number), UTC, unit) == (DAY_2010, None)
    assert parse_time("20101201", UTC, "s") == (20_101_201_000, None)


def test_a_time_without_zone_is_in_the_zone_of_the_source() -> None:
    assert parse_time("2010-12-01 01:00:00", PARIS)[0] == DAY_2010
    assert parse_time("2010-12-01T00:00:00Z", PARIS)[0] == DAY_2010
    # Paris was 9 minutes and 21 seconds ahead of Greenwich before 1911.
    assert parse_time("1900-01-01", PARIS)[0] == parse_time("1900-01-01")[0] - 561_000


def test_clock_changes_are_decided() -> None:
    # 2010-10-31 02:30 came twice in Paris: the first is summer time, two hours ahead.
    assert parse_time("2010-10-31 02:30:00", PARIS)[0] == parse_time("2010-10-31T00:30:00Z")[0]
    # 2010-03-28 02:30 never was: half an hour after the change, 03:30 summer time.
    assert parse_time("2010-03-28 02:30:00", PARIS)[0] == parse_time("2010-03-28T01:30:00Z")[0]


def test_the_future_ends_in_a_day() -> None:
    check_future(DAY_2010 + 86_400_000, DAY_2010)
    with pytest.raises(ValueError, match=r"2010-12-02T00:00:00\.001000Z is more than a day in the future"):
        check_future(DAY_2010 + 86_400_001, DAY_2010)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "", "Europe", "zone.tab"])
def test_unknown_zones_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="Unknown time zone"):
        zone(name)


WRITTEN = st.one_of(
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9998, 1, 1)).flatmap(
        lambda moment: st.sampled_from(
            [
                moment.isoformat(),
                moment.isoformat(" "),
                moment.isoformat(timespec="seconds"),
                moment.isoformat(timespec="milliseconds") + "Z",
                moment.isoformat(timespec="seconds") + "+05:30",
                moment.isoformat(timespec="microseconds") + "-11:00",
                moment.date().isoformat(),
                moment.strftime("%Y-%m").rjust(7, "0"),
                moment.strftime("%Y").rjust(4, "0"),
                moment.strftime("%Y%m%d"),
            ]
        )
    ),
    st.integers(-(10**14), 10**14).map(str),
    st.floats(allow_nan=True, allow_infinity=True).map(str),
    st.from_regex(r"[+-]?[0-9]{1,5}\.?[0-9]?[eE][+-]?[0-9]{1,12}", fullmatch=True),
    st.text(max_size=30),
    st.text("0123456789-:TZ+. ", max_size=26),
    st.none(),
)


@settings(deadline=None)
@given(st.lists(WRITTEN, max_size=8), st.sampled_from(["UTC", "Europe/Paris", "America/St_Johns"]))
def test_columns_of_text_answer_like_single_values(values: list[str | None], name: str) -> None:
    _same(pl.Series("timestamp", values, dtype=pl.String), name)


@settings(deadline=None)
@example([-(2**63), 2**63 - 1])
@given(st.lists(st.none() | st.integers(-(2**62), 2**62) | st.integers(19_000_000, 21_000_000), max_size=8))
def test_columns_of_integers_answer_like_single_values(values: list[int | None]) -> None:
    for unit in (None, "s", "ms", "us", "ns"):
        _same(pl.Series("timestamp", values, dtype=pl.Int64), "UTC", unit)


@settings(deadline=None)
@given(st.lists(st.none() | st.floats(), max_size=8))
def test_columns_of_floats_answer_like_single_values(values: list[float | None]) -> None:
    _same(pl.Series("timestamp", values, dtype=pl.Float64), "UTC")


@settings(deadline=None)
@given(
    st.lists(st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 1, 1)), max_size=6),
    st.sampled_from(["UTC", "Europe/Paris"]),
    st.sampled_from(["ms", "us"]),
)
def test_columns_of_moments_answer_like_single_values(values: list[Any], name: str, unit: Any) -> None:
    _same(pl.Series("timestamp", values, dtype=pl.Datetime(unit)), name)
    _same(pl.Series("timestamp", values, dtype=pl.Datetime(unit, "UTC")), name)
    _same(pl.Series("timestamp", [value and value.date() for value in values], dtype=pl.Date), name)


def _same(column: pl.Series, name: str, unit: Any = None) -> None:
    ms, precisions, errors = times(column, zone(name), unit)
    for row, value in enumerate(column.to_list()):
        expected: tuple[Any, ...]
        try:
            expected = (*parse_time(value, zone(name), unit), None)
        except ValueError as error:
            expected = (None, None, str(error))
        assert (ms[row], precisions[row], errors.get(row)) == expected
