"""What the values of a column look like: how unique, how many are numbers, times and in which form."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import polars as pl

from graphprofile.ingest.columns import holds
from graphprofile.ingest.mapped.patterns import ISO
from graphprofile.ingest.mapped.texts import as_text

LOOKED_AT = 3_000
"""Distinct values that are tried as times and numbers."""
MISSING = (
    "NULL",
    "null",
    "Null",
    "n/a",
    "N/A",
    "NA",
    "#N/A",
    "-",
    "--",
    "None",
    "none",
    "nan",
    "NaN",
    "?",
    "\\N",
)
ENOUGH = 0.95
LISTS = ("|", ";", ", ", ",", "/")

_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p")
_DAYS = (
    *("%Y/%m/%d", "%Y.%m.%d"),
    *("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y"),
    *("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y", "%m/%d/%y", "%m.%d.%y", "%m-%d-%y"),
    *("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y"),
)
_FORMATS = [
    *(day + clock for day, clock in itertools.product(_DAYS, _CLOCKS)),
    "%a, %d %b %Y %H:%M:%S %z",
    "%d/%b/%Y:%H:%M:%S %z",
    "%Y%m%d%H%M%S",
]
_DATED = r"\d[-/. ]|\d{14}|[A-Za-z]{3}"
_ISO = r"^\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)? ?(?:[Zz]|UTC|GMT|[+-]\d{2}:?\d{2})?)?$"


@dataclass
class Facts:
    """What was seen of a column.

    Attributes:
        name: The column.
        present: Part of the rows that have a value.
        distinct: Different values.
        unique: Part of the values that come once... distinct over present rows.
        missing: Texts that stand for nothing.
        number: Part of the values that are numbers with a point.
        whole: Part of the values that are whole numbers.
        comma: Part that are numbers with a decimal comma alone.
        thousands: What separates thousands, if anything.
        formats: Time formats that together read the values, the most frequent first.
        times: Part of the values that they read.
        ambiguous: Two readings, day first and month first, that both fit.
        both: Whether values prove both orders.
        padded: Part of the values with blanks around them.
        quoted: Part of the values in quotes.
        separator: Between entries of a list.
        length: Mean length.
        common: The most frequent values.
        low: Smallest number.
        high: Largest number.
    """

    name: str
    present: float = 0.0
    distinct: int = 0
    unique: float = 0.0
    missing: list[str] = field(default_factory=list)
    number: float = 0.0
    whole: float = 0.0
    comma: float = 0.0
    thousands: str | None = None
    formats: list[str] = field(default_factory=list)
    times: float = 0.0
    ambiguous: tuple[list[str], list[str]] | None = None
    both: bool = False
    padded: float = 0.0
    quoted: float = 0.0
    separator: str | None = None
    length: float = 0.0
    common: list[str] = field(default_factory=list)
    low: float = 0.0
    high: float = 0.0

    @property
    def is_number(self) -> bool:
        """Whether nearly all values are numbers of some form."""
        return self.number + self.comma >= ENOUGH

    @property
    def is_time(self) -> bool:
        """Whether nearly all values can be read as times."""
        return self.times >= ENOUGH


def facts_of(column: pl.Series) -> Facts:
    """Look at a column of the sample."""
    found = Facts(column.name)
    if column.dtype.is_temporal():
        found.formats, found.times = [ISO], 1.0
    raw = as_text(column).drop_nulls()
    text = raw.str.strip_chars()
    found.missing = [word for word in MISSING if (text == word).any()]
    stay = (text.str.len_bytes() > 0) & ~text.is_in(found.missing)
    raw, text = raw.filter(stay), text.filter(stay)
    found.present = len(text) / max(len(column), 1)
    if not len(text):
        return found
    found.padded = _share(raw != text)
    found.quoted = _share(text.str.contains(r"""^="?.*"$|^".*"$|^'.*'$"""))
    if found.quoted > ENOUGH:
        text = text.str.replace(r"^=", "").str.strip_chars("\"'")
    counts = text.value_counts(sort=True)
    found.distinct = counts.height
    found.unique = counts.height / len(text)
    found.common = counts[text.name][:8].to_list()
    found.length = float(text.str.len_chars().mean() or 0)  # type: ignore[arg-type]
    _numbers(text, found)
    if not found.times:
        _times(text.unique(maintain_order=True).head(LOOKED_AT), found)
    # An array of JSON is a list as it is.
    if not found.is_number and not found.is_time and not text.str.starts_with("[").all():
        _lists(text, found)
    return found


def _share(mask: pl.Series) -> float:
    return float(mask.fill_null(False).sum()) / max(len(mask), 1)


def _numbers(text: pl.Series, found: Facts) -> None:
    plain = text.str.contains(r"^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$")
    found.number = _share(plain)
    found.whole = _share(text.str.contains(r"^[+-]?\d+$"))
    values = text.filter(plain).cast(pl.Float64, strict=False).drop_nulls()
    if len(values):
        found.low, found.high = float(values.min()), float(values.max())  # type: ignore[arg-type]
    if not holds(text, r"\d,\d|\d[ '\u00a0\u202f]\d"):
        return
    continental = text.str.contains(r"^[+-]?(?:\d+|\d{1,3}(?:[. '\u00a0\u202f]\d{3})+)(?:,\d+)?$") & ~plain
    english = text.str.contains(r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
    # 1,234 alone may be either: other lengths behind the comma prove it a decimal one.
    proof = text.str.contains(r",\d{1,2}$|,\d{4,}$")
    if proof.any() or not english.any():
        found.comma = _share(continental)
        marks = [
            mark for mark in (".", " ", "'") if text.str.contains(rf"\d[{mark}]\d{{3}}(?:[{mark},]|$)").any()
        ]
        if found.comma and text.str.contains("[\u00a0\u202f]").any():
            marks = [" "]
        # What reads as a number with a point is one with thousands here.
        found.thousands = marks[0] if marks and found.comma else None
    else:
        found.thousands = ","
        found.number = _share(plain | english)


def _times(text: pl.Series, found: Facts) -> None:
    if not len(text):
        return
    rest, taken = text, 0
    iso = text.str.contains(_ISO)
    counted: list[tuple[str, int]] = []
    if iso.any():
        counted.append((ISO, int(iso.sum())))
        rest = text.filter(~iso)
    if len(rest) and _share(rest.str.contains(_DATED)) > 0.5:
        for _ in range(4):
            best, read = _best(rest)
            if best is None or read is None:
                break
            counted.append((best, int(read.sum())))
            rest = rest.filter(~read)
            if not len(rest):
                break
    taken = sum(count for _, count in counted)
    found.times = taken / len(text)
    found.formats = [form for form, _ in sorted(counted, key=lambda pair: -pair[1])]
    _look_for_order(text, found)


def _best(text: pl.Series) -> tuple[str | None, pl.Series | None]:
    """The format that reads most values; of two that read as many the first in the list."""
    trial = text.head(400)
    scores = {form: int(trial.str.to_datetime(form, strict=False).is_not_null().sum()) for form in _FORMATS}
    top = max(scores.values())
    if not top:
        return None, None
    near = [form for form, score in scores.items() if score >= 0.9 * top]
    exact = {form: text.str.to_datetime(form, strict=False).is_not_null() for form in near}
    form = max(near, key=lambda name: int(exact[name].sum()))
    return form, exact[form]


def _look_for_order(text: pl.Series, found: Facts) -> None:
    """Whether day or month comes first, by values above 12; where none says it, both readings are kept."""
    numeric = [
        form
        for form in found.formats
        if form.startswith(("%d", "%m")) and "b" not in form and "B" not in form
    ]
    if not numeric:
        return
    parts = text.str.extract_groups(r"^(\d{1,2})[-/.](\d{1,2})[-/.]\d{2,4}\b").struct.unnest()
    one, two = (parts[name].cast(pl.Int64, strict=False) for name in parts.columns)
    day_first, month_first = bool((one > 12).any()), bool((two > 12).any())
    if day_first != month_first:
        return
    found.both = day_first and month_first
    days = [
        "%d" + form[2:].replace("%d", "%m", 1) if form in numeric and form.startswith("%m") else form
        for form in found.formats
    ]
    months = [
        "%m" + form[2:].replace("%m", "%d", 1) if form in numeric and form.startswith("%d") else form
        for form in found.formats
    ]
    found.ambiguous = (list(dict.fromkeys(days)), list(dict.fromkeys(months)))


def _lists(text: pl.Series, found: Facts) -> None:
    for separator in LISTS:
        share = _share(text.str.contains(separator, literal=True))
        if share < 0.2:
            continue
        entries = text.str.split(separator).explode().str.strip_chars()
        # Entries of a list come again in other lists, and are short; halves of a sentence do not.
        if entries.n_unique() <= 0.5 * len(entries) and float(entries.str.len_chars().mean() or 0) < 25:  # type: ignore[arg-type]
            found.separator = separator
            return
