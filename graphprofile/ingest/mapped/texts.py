"""Text of one column cleaned, rule by rule, and numbers out of it: a whole column at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import polars as pl

from graphprofile.ingest.columns import clean_texts, holds, keep, numbers, plain_dtype
from graphprofile.ingest.fields import shown
from graphprofile.ingest.mapped.parts import Column
from graphprofile.ingest.mapping import as_bool

Rule = Callable[[pl.Series], pl.Series]
_SPACES = "[ \u00a0\u202f]"
_EDGES = r"\s"
_FEW = 0.2
"""Of so large a part of distinct values on it costs more to look each one up than to work on all of them."""


def as_text(column: pl.Series) -> pl.Series:
    """A column of any type as text; whole numbers without a fraction, objects and lists as JSON."""
    column = plain_dtype(column)
    if column.dtype == pl.String:
        return column
    if column.dtype.is_integer() or column.dtype == pl.Boolean or column.dtype.is_temporal():
        return column.cast(pl.String)
    return pl.Series(column.name, [_one_text(value) for value in column.to_list()], dtype=pl.String)


def _one_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) <= 2**53 else repr(value)
    if isinstance(value, int):
        return str(value)
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def text_rules(rules: Column) -> Iterator[tuple[str, Rule]]:
    """The declared rules on text, in the order they are applied: name and what it does to a column."""
    if rules.trim:
        yield "trim", _trim
    if rules.nfc:
        yield "nfc", lambda text: text.str.normalize("NFC") if holds(text, r"[^\x00-\x7f]") else text
    if rules.unquote:
        yield "unquote", _unquote
    if rules.replace:
        yield "replace", lambda text: _replace(text, rules)
    if rules.missing:
        yield "missing", lambda text: keep(text, ~text.is_in(rules.missing))
    if rules.case:
        yield "case", lambda text: _case(text, str(rules.case))
    if rules.map:
        yield "map", lambda text: _map(text, rules)


def _trim(text: pl.Series) -> pl.Series:
    # Most columns have nothing to trim, and a look at all of them at once is the cheaper one.
    return text.str.strip_chars() if holds(text, _EDGES) else text


def _unquote(text: pl.Series) -> pl.Series:
    """Text without the quotes around it, with what a spreadsheet puts before them: ``="007"``."""
    if not holds(text, "[\"'`]"):
        return text
    for pattern in (r'^="(.*)"$', r'^"(.*)"$', r"^'(.*)'$", r"^`(.*)`$"):
        text = text.str.replace(pattern, "$1")
    return text


def _replace(text: pl.Series, rules: Column) -> pl.Series:
    for rule in rules.replace:
        text = text.str.replace_all(rule.pattern, rule.by)
    return text


def _case(text: pl.Series, case: str) -> pl.Series:
    if case == "upper":
        return text.str.to_uppercase()
    if case == "title":
        return text.str.to_titlecase()
    lower = text.str.to_lowercase()
    if case == "lower" or not holds(text, r"[^\x00-\x7f]"):
        return lower
    # Folding is more than lower case for some letters (ß, ς), and Polars has no word for it.
    folded = {value: value.casefold() for value in lower.drop_nulls().unique().to_list()}
    return lower.replace_strict(folded, default=None, return_dtype=pl.String)


def _map(text: pl.Series, rules: Column) -> pl.Series:
    if rules.unknown == "keep":
        return text.replace(rules.map)
    return text.replace_strict(rules.map, default=None, return_dtype=pl.String)


def numbers_of(text: pl.Series, decimal: str, thousands: str | None) -> tuple[pl.Series, dict[int, str]]:
    """Text as numbers, with the separators that are declared; position -> reason where it is none.

    Thousands must stand in groups of three: ``12.34`` is no number where ``.`` separates thousands.
    """
    if text.dtype != pl.String or (decimal == "." and thousands is None):
        return numbers(text)
    body = text.str.strip_chars()
    body = keep(body, body.str.len_bytes() > 0)
    point = re.escape(decimal)
    whole = r"\d+"
    if thousands is not None:
        mark = _SPACES if thousands == " " else re.escape(thousands)
        whole = rf"(?:\d+|\d{{1,3}}(?:{mark}\d{{3}})+)"
    good = body.str.contains(rf"^[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?$")
    plain = keep(body, good)
    if thousands is not None:
        plain = plain.str.replace_all(mark, "")
    if decimal != ".":
        plain = plain.str.replace(decimal, ".", literal=True)
    found, errors = numbers(plain)
    for row in (body.is_not_null() & ~good.fill_null(False)).arg_true().to_list():
        errors[row] = f"{shown(body[row])} is no number written with {decimal!r}" + (
            f" and {thousands!r} between thousands" if thousands else ""
        )
    return found, errors


def whole_numbers(text: pl.Series, found: pl.Series, errors: dict[int, str]) -> pl.Series:
    """Numbers as 64-bit integers; a fraction is an error."""
    exact = text.cast(pl.Int64, strict=False) if text.dtype == pl.String else None
    rounded = keep(found, (found == found.floor()) & (found.abs() < 2**63)).cast(pl.Int64)
    for row in (rounded.is_null() & found.is_not_null()).arg_true().to_list():
        errors.setdefault(row, f"{found[row]!r} is no whole number")
    return rounded if exact is None else exact.zip_with(exact.is_not_null(), rounded)


def booleans(text: pl.Series) -> tuple[pl.Series, dict[int, str]]:
    """Text as true or false."""
    table: dict[str | None, bool | None] = {}
    wrong: dict[str | None, str] = {}
    for value in text.unique().to_list():
        try:
            table[value] = as_bool(value)
        except ValueError as error:
            table[value], wrong[value] = None, str(error)
    values = text.to_list()
    errors = {row: wrong[value] for row, value in enumerate(values) if value in wrong} if wrong else {}
    return pl.Series(text.name, [table[value] for value in values], dtype=pl.Boolean), errors


def lists(text: pl.Series, separator: str | None) -> pl.Series:
    """Text as lists of trimmed, non-empty entries, and an array in JSON as the list it is.

    Args:
        text: As :func:`as_text` gives it: where a source has lists of its own, they are JSON.
        separator: Between entries; None takes the text as one.
    """
    entries = clean_texts(text)
    parted: Any = (
        entries.str.split(separator)
        if separator is not None
        else pl.select(pl.concat_list(entries)).to_series()
    )
    is_array = text.str.contains(r"^\s*\[").fill_null(False)
    if is_array.any():
        told = [_array(value) if at else None for value, at in zip(text.to_list(), is_array, strict=True)]
        arrays = pl.Series(told, dtype=pl.List(pl.String))
        parted = pl.select(pl.coalesce(arrays, parted)).to_series()
    parted = parted.alias(text.name).list.eval(pl.element().str.strip_chars())
    parted = parted.list.eval(pl.element().filter(pl.element().str.len_bytes() > 0))
    return keep(parted, parted.list.len() > 0)


def _array(value: str) -> list[str | None] | None:
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    return [_one_text(one) for one in found] if isinstance(found, list) else None
