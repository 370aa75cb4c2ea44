"""Rows that hold objects: out of a frame, and back into columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

RESERVED = frozenset({"_row", "_skip", "_reject"})


def values(frame: pl.DataFrame, name: str) -> list[Any]:
    """A column as Python values; nothing but None where the frame has none of that name."""
    return frame[name].to_list() if name in frame.columns else [None] * frame.height


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is an object of fields, else an empty one."""
    return value if isinstance(value, dict) else {}


def series(name: str, entries: Sequence[Any]) -> pl.Series:
    """Python values as a column: of their type where all have one (lists: of text), else as they are."""
    import polars as pl

    kinds = set(map(type, entries)) - {type(None)}
    dtypes: dict[type, Any] = {str: pl.String, bool: pl.Boolean, int: pl.Int64, float: pl.Float64}
    try:
        if kinds == {list}:
            return _text_lists(name, entries)
        dtype = pl.String if not kinds else dtypes.get(kinds.pop()) if len(kinds) == 1 else None
        if dtype is not None:
            return pl.Series(name, entries, dtype=dtype)
    except (OverflowError, TypeError, ValueError):
        # Integers beyond 64 bits, half characters: the checks refuse the rows that hold them. Lists of others.
        pass
    return pl.Series(name, entries, dtype=pl.Object)


def _text_lists(name: str, entries: Sequence[Any]) -> pl.Series:
    """Lists of text as a column; Arrow takes them at once, where Polars makes a series of each."""
    import polars as pl
    import pyarrow as pa

    return pl.Series(name, pa.array(entries, pa.large_list(pa.large_string())))


def columns(
    names: Sequence[str], rows: Sequence[tuple[Any, ...]], more: Sequence[Mapping[str, Any] | None] = ()
) -> pl.DataFrame:
    """Rows as a frame.

    Args:
        names: Of the fields of each row.
        rows: The fields.
        more: Further columns that each row brings of its own; a name of the fields is not taken twice.
    """
    import polars as pl

    found = (
        [series(name, entries) for name, entries in zip(names, zip(*rows, strict=True), strict=True)]
        if rows
        else [series(name, []) for name in names]
    )
    others: dict[str, None] = {}
    for entry in more:
        if entry:
            others.update(dict.fromkeys(entry))
    for name in others:
        if name not in names and name not in RESERVED:
            found.append(series(name, [entry.get(name) if entry else None for entry in more]))
    return pl.DataFrame(found)


def number(value: Any) -> float | None:
    """A number, also one written as text; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if abs(found) < float("inf") else None


def text(value: Any) -> str | None:
    """Text or a whole number as text, trimmed; None where there is none."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
