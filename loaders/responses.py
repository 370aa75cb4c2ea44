"""Cells of a survey's table: text or nothing, who, which, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MISSING = ("", "-", "--", "–", "—", "n/a", "na", "#n/a", "null", "nan", "not applicable")
"""Texts that stand for nothing, in small letters."""
NOBODY = "anonymous"
EXCEL_DAYS = (20_000, 80_000)
"""Numbers that Excel shows as days between 1954 and 2119; as seconds they would be one day of 1970."""
OFFSETS = {
    **{"GMT": "+00:00", "UTC": "+00:00", "WET": "+00:00", "BST": "+01:00", "CET": "+01:00", "CEST": "+02:00"},
    **{"EET": "+02:00", "EEST": "+03:00", "EST": "-05:00", "EDT": "-04:00", "CST": "-06:00", "CDT": "-05:00"},
    **{"MST": "-07:00", "MDT": "-06:00", "PST": "-08:00", "PDT": "-07:00"},
}
"""Zones by the short names that Google Forms writes."""

_CLOCK = r" (\d{1,2}):(\d{2})(?::(\d{2}))?(?: ([AaPp])\.?[Mm]\.?)?"
_ZONE = r"(?: (?:(?:GMT|UTC)([+-])(\d{1,2})(?::?(\d{2}))?|([A-Z]{3,4})))?$"
_YEAR_FIRST = rf"^(\d{{4}})/(\d{{1,2}})/(\d{{1,2}}){_CLOCK}{_ZONE}"
_MONTH_FIRST = rf"^(\d{{1,2}})/(\d{{1,2}})/(\d{{4}}){_CLOCK}{_ZONE}"


def cell(frame: pl.DataFrame, name: str) -> pl.Series:
    """A column as trimmed text, null where it says nothing."""
    import polars as pl

    column = frame[name]
    if column.dtype == pl.Object:
        column = pl.Series(name, [None if value is None else str(value) for value in column], dtype=pl.String)
    elif column.dtype == pl.Datetime:
        aware = column.dtype.time_zone is not None  # type: ignore[attr-defined]
        column = column.dt.strftime("%Y-%m-%dT%H:%M:%S%.3f" + ("%:z" if aware else ""))
    elif column.dtype.is_float():
        text = column.cast(pl.String)
        column = text.str.replace(r"\.0$", "")
    else:
        column = column.cast(pl.String, strict=False)
    text = column.str.strip_chars()
    return text.set(text.str.to_lowercase().is_in(list(MISSING)), None)


def known(cells: pl.DataFrame, columns: Sequence[str], *, people: bool = False) -> pl.Series:
    """The first of the columns that says something; of people e-mail addresses are in small letters."""
    import polars as pl

    if not columns:
        return pl.Series("known", [], dtype=pl.String).clear(cells.height)
    text = [pl.col(name) for name in columns]
    if people:
        text = [pl.when(each.str.to_lowercase() != NOBODY).then(each) for each in text]
        text = [
            pl.when(each.str.contains("@", literal=True)).then(each.str.to_lowercase()).otherwise(each)
            for each in text
        ]
    return cells.select(pl.coalesce(text).alias("known"))["known"]


def moment(column: str, zone: str | None, month_first: bool) -> pl.Expr:
    """A time as ISO 8601 where its form leaves no doubt; anything else as it is, for the checks to judge.

    Args:
        column: Of text.
        zone: Of times that name none, where the header says it.
        month_first: Whether 1/2/2026 is the 2nd of January; it is in any case where AM or PM stands behind.
    """
    import polars as pl

    text = pl.col(column)
    american = text.str.extract_groups(_MONTH_FIRST)
    trusted = pl.lit(month_first) | american.struct.field("7").is_not_null()
    days = text.cast(pl.Float64, strict=False)
    days = pl.when(days.is_between(*EXCEL_DAYS)).then(days)
    excel = pl.datetime(1899, 12, 30) + pl.duration(milliseconds=(days * 86_400_000).round(0).cast(pl.Int64))
    found = pl.coalesce(
        _iso(text.str.extract_groups(_YEAR_FIRST), (1, 2, 3)),
        pl.when(trusted).then(_iso(american, (3, 1, 2))),
        excel.dt.strftime("%Y-%m-%dT%H:%M:%S"),
        text,
    )
    return found if zone is None else _in_zone(found, zone)


def _iso(groups: pl.Expr, order: tuple[int, int, int]) -> pl.Expr:
    """Year, month, day, hour, minute, second, half of the day and zone as one text; null without them."""
    import polars as pl

    def part(number: int) -> pl.Expr:
        return groups.struct.field(str(number))

    year, month, day = (part(number) for number in order)
    half = part(7).str.to_uppercase()
    hour = part(4).cast(pl.Int64)
    # 12 AM is midnight, 12 PM is noon.
    hour = (
        pl.when(half.is_null()).then(hour).otherwise(hour % 12 + pl.when(half == "P").then(12).otherwise(0))
    )
    offset = pl.concat_str(part(8), part(9).str.zfill(2), pl.lit(":"), part(10).fill_null("00").str.zfill(2))
    named = part(11).replace_strict(OFFSETS, default=None, return_dtype=pl.String)
    known_zone = part(11).is_null() | named.is_not_null()
    text = pl.concat_str(
        year, pl.lit("-"), month.str.zfill(2), pl.lit("-"), day.str.zfill(2), pl.lit("T"),
        hour.cast(pl.String).str.zfill(2), pl.lit(":"), part(5), pl.lit(":"), part(6).fill_null("00"),
        pl.coalesce(offset, named, pl.lit("")),
    )  # fmt: skip
    # In UTC: who exports it, and from which zone, must make no other time of it.
    there = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%:z", time_unit="ms", time_zone="UTC", strict=False)
    return pl.when(known_zone).then(pl.coalesce(there.dt.strftime("%Y-%m-%dT%H:%M:%SZ"), text))


def _in_zone(text: pl.Expr, zone: str) -> pl.Expr:
    """Times without an offset, read in a zone: the first where clocks go back, as much after where they skip it."""
    import polars as pl

    local = text.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ms", strict=False)
    hours = pl.duration(hours=3)

    def there(moment: pl.Expr) -> pl.Expr:
        return moment.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")

    exact = pl.coalesce(there(local), there(local - hours) + hours)
    return pl.coalesce(exact.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ"), text)
