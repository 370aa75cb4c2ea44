"""Rows with properties of any names and types as frames whose columns have one type each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import orjson
import polars as pl

from graphprofile.ingest.columns import numbers_as_json, texts_as_json

Row = Mapping[str, Any]
DTYPES: dict[type, Any] = {str: pl.String, bool: pl.Boolean, int: pl.Int64, float: pl.Float64}


class Sink(Protocol):
    """Where an engine's importer finds the graph. Null is absent; a node's key is its column ``#key``.

    Attributes:
        any_order: Whether relationships may come before their nodes, and from another thread.
    """

    any_order: bool

    def nodes(self, label: str, frame: pl.DataFrame) -> None:
        """Take nodes: ``#key`` and properties."""
        ...

    def links(self, type_: str, ends: tuple[str, str], frame: pl.DataFrame) -> None:
        """Take relationships between two labels: ``#from``, ``#to`` (keys of nodes taken before) and properties."""
        ...


def frames(rows: Sequence[Row]) -> Iterator[tuple[list[int], pl.DataFrame]]:
    """Rows in groups in which each name has one type: positions of the rows, and their columns.

    Args:
        rows: Text, int, float, bool and non-empty lists of one of these; no nulls.
    """
    types: dict[str, Any] = {}
    mixed: set[str] = set()
    for row in rows:
        for name, value in row.items():
            found = dtype(value)
            if types.setdefault(name, found) != found:
                mixed.add(name)
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    if mixed:
        for position, row in enumerate(rows):
            groups[tuple((name, str(dtype(row[name]))) for name in sorted(mixed & row.keys()))].append(
                position
            )
    elif rows:
        groups[()] = list(range(len(rows)))
    for positions in groups.values():
        chosen = [rows[position] for position in positions] if mixed else rows
        names = dict.fromkeys(name for row in chosen for name in row) if mixed else types
        columns = {}
        for name in names:
            values = [row.get(name) for row in chosen]
            of = next(dtype(value) for value in values if value is not None) if name in mixed else types[name]
            columns[name] = pl.Series(name, values, dtype=of)
        yield positions, pl.DataFrame(columns, height=len(positions))


def dtype(value: Any) -> Any:
    """The column type of a property's value."""
    if isinstance(value, list):
        return pl.List(DTYPES[type(value[0])])
    return DTYPES[type(value)]


def as_json(frame: pl.DataFrame) -> pl.Series:
    """Each row as the inside of a JSON object, without its nulls."""
    entries = [
        f"{orjson.dumps(name).decode()}:" + _json_column(frame[name])
        for name in frame.columns
        if frame.height
    ]
    if not entries:
        return pl.Series([""] * frame.height, dtype=pl.String)
    return pl.select(
        pl.concat_str([pl.lit(entry) for entry in entries], separator=",", ignore_nulls=True)
    ).to_series()


def _json_column(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String:
        return texts_as_json(column)
    if column.dtype == pl.Float64:
        return numbers_as_json(column)
    if isinstance(column.dtype, pl.List):
        return pl.Series(
            [None if value is None else orjson.dumps(value).decode() for value in column.to_list()],
            dtype=pl.String,
        )
    return column.cast(pl.String)


def by_properties(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Rows whose further properties are JSON in the column ``#json``, as frames with a column for each."""
    plain = frame.drop("#json")
    has_more = frame["#json"].is_not_null()
    if not has_more.any():
        yield plain
        return
    yield plain.filter(~has_more)
    plain = plain.filter(has_more)
    rows = [orjson.loads(text) for text in frame["#json"].drop_nulls().to_list()]
    for positions, more in frames(rows):
        yield plain[positions].hstack(more)
