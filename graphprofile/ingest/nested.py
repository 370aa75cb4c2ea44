"""Fields of objects inside rows, named by a path with points: ``user.id``; a whole column at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from graphprofile.ingest.rows import native_column

DEPTH = 4
"""Levels that a look at a file goes down; a mapping may name deeper ones."""


def reach(frame: pl.DataFrame, path: str) -> pl.Series | None:
    """The column of a name, else what a path leads to; None where no row of the frame has it.

    A column whose own name has points comes before a path, and a longer one before a shorter.

    Args:
        frame: Rows as a source gave them.
        path: Name of a column, or of one that holds objects and of their fields.
    """
    if path in frame.columns:
        return frame[path]
    for at in range(len(path) - 1, 0, -1):
        if path[at] == "." and path[:at] in frame.columns:
            return _inside(frame[path[:at]], path[at + 1 :].split("."), path)
    return None


def _inside(column: pl.Series, names: list[str], path: str) -> pl.Series | None:
    while names and isinstance(column.dtype, pl.Struct):
        if names[0] not in column.struct.fields:
            return None
        column, names = column.struct.field(names[0]), names[1:]
    if not names:
        return column.alias(path)
    if not column.dtype.is_object():
        return None
    values = column.to_list()
    for name in names:
        values = [value.get(name) if isinstance(value, Mapping) else None for value in values]
    return native_column(path, values) if any(value is not None for value in values) else None


def columns_of(frame: pl.DataFrame) -> list[str]:
    """The columns of rows in their order, and in place of one that holds nothing but objects their fields."""
    found: dict[str, None] = {}
    for column in frame:
        inner = (
            _fields(column.name, column.to_list(), DEPTH)
            if column.dtype.is_object()
            else _struct_fields(column.name, column.dtype)
        )
        found.update(dict.fromkeys(inner))
    return list(found)


def _fields(path: str, values: list[Any], depth: int) -> Iterator[str]:
    there = [value for value in values if value is not None]
    if not there or not depth or not all(isinstance(value, dict) for value in there):
        yield path
        return
    names = dict.fromkeys(name for value in there for name in value)
    if not names or any("." in name for name in names):
        # A path could not tell such a name from two: the whole object stays a column.
        yield path
        return
    for name in names:
        yield from _fields(f"{path}.{name}", [value.get(name) for value in there], depth - 1)


def _struct_fields(path: str, dtype: Any) -> Iterator[str]:
    if (
        not isinstance(dtype, pl.Struct)
        or not dtype.fields
        or any("." in field.name for field in dtype.fields)
    ):
        yield path
        return
    for field in dtype.fields:
        yield from _struct_fields(f"{path}.{field.name}", field.dtype)


def unfolded(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows with the fields of their objects as columns, see :func:`columns_of`."""
    found = {name: reach(frame, name) for name in columns_of(frame)}
    empty = pl.Series("", [], dtype=pl.String).clear(frame.height)
    return pl.DataFrame([(empty if column is None else column).alias(name) for name, column in found.items()])
