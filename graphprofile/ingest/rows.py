"""Rows that each bring their own fields: JSON Lines and dicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any

import orjson
import polars as pl

from graphprofile.errors import SourceError
from graphprofile.ingest.fields import encodable
from graphprofile.ingest.files import Opened
from graphprofile.ingest.text import Block, blocks
from graphprofile.ingest.uncollected import uncollected
from graphprofile.records import Kind, RawChunk, Rejection

ROWS = "<rows>"
"""Name of a source that is no file."""
MAX_COLUMNS = 1_000
CHUNK_BYTES = 16 << 20


class Rows:
    """Rows that each bring their own fields, gathered into a chunk."""

    def __init__(self, kind: Kind, name: str, chunk_rows: int) -> None:
        self.kind, self.name, self.chunk_rows = kind, name, chunk_rows
        self.clear()

    def clear(self) -> None:
        """Begin the next chunk."""
        self.rows: list[dict[str, Any]] = []
        self.lines: list[int] = []
        self.names: dict[str, None] = {}
        self.rejected: list[Rejection] = []
        self.bytes = 0

    @property
    def full(self) -> bool:
        """Whether the chunk is large enough."""
        return (
            len(self.rows) >= self.chunk_rows
            or len(self.rejected) >= self.chunk_rows
            or self.bytes >= CHUNK_BYTES
            or len(self.names) > MAX_COLUMNS
        )

    def add(self, row: Any, line: int, size: int = 0) -> None:
        """Add a row, or refuse it where it is no object of fields."""
        if not isinstance(row, Mapping):
            self.refuse(line, f"is a {_json_type(row)}, not an object of fields", row)
        elif len(row) > MAX_COLUMNS:
            self.refuse(line, f"has {len(row)} fields: at most {MAX_COLUMNS}", row)
        else:
            named = row if all(type(key) is str for key in row) else {str(key): row[key] for key in row}
            if not all(key.isascii() or encodable(key) for key in named):
                self.refuse(line, "has a field whose name is no text", row)
                return
            self._keep(dict(named), line, size)

    def add_object(self, row: Any, line: int, size: int) -> None:
        """Add what a JSON line held: its names are text, and nobody else has the object."""
        if type(row) is dict and len(row) <= MAX_COLUMNS:
            self._keep(row, line, size)
        else:
            self.add(row, line, size)

    def _keep(self, row: dict[str, Any], line: int, size: int) -> None:
        self.rows.append(row)
        self.lines.append(line)
        if not row.keys() <= self.names.keys():
            self.names.update(dict.fromkeys(row))
        self.bytes += size

    def refuse(self, line: int, reason: str, row: Any, field: str = "row") -> None:
        """Put a row into quarantine."""
        self.rejected.append(Rejection(self.name, line, field, reason, row, self.kind))

    def chunk(self, position: int, size: int | None) -> RawChunk:
        """The rows gathered, as columns; the next chunk begins."""
        frame = pl.DataFrame(
            [native_column(name, [row.get(name) for row in self.rows]) for name in self.names]
        )
        if not self.names and self.rows:
            frame = pl.DataFrame({"_": [None] * len(self.rows)}, schema={"_": pl.String})
        chunk = RawChunk(
            self.kind,
            self.name,
            frame,
            self.lines,
            self.rejected,
            position=position,
            size=size,
            fixed_columns=False,
        )
        self.clear()
        return chunk


def _json_type(value: Any) -> str:
    names = {"NoneType": "null", "str": "text", "int": "number", "float": "number", "bool": "truth value"}
    return names.get(type(value).__name__, type(value).__name__)


def native_column(name: str, values: list[Any]) -> pl.Series:
    """Python values as a column: text, integers, floats or booleans where all are, else objects.

    Integers among floats stay integers: what becomes of a row must not depend on the rows beside it.
    """
    kinds = set(map(type, values)) - {type(None)}
    try:
        if not kinds or kinds == {str}:
            return pl.Series(name, values, dtype=pl.String)
        if kinds == {bool}:
            return pl.Series(name, values, dtype=pl.Boolean)
        if kinds == {int}:
            return pl.Series(name, values, dtype=pl.Int64)
        if kinds == {float}:
            return pl.Series(name, values, dtype=pl.Float64)
    except (UnicodeEncodeError, OverflowError, TypeError):
        # Half characters or integers beyond 64 bits: the checks refuse the rows that hold them.
        pass
    return pl.Series(name, values, dtype=pl.Object)


def json_chunks(
    opened: Opened, encoding: str, kind: Kind, name: str, chunk_rows: int, block_size: int
) -> Iterator[RawChunk]:
    """Rows of a JSON Lines file.

    Raises:
        SourceError: No line of its beginning is a JSON object or looks like one.
    """
    rows = Rows(kind, name, chunk_rows)
    lines = _every_line(blocks(opened.stream, encoding, block_size), rows, name)
    given = False
    while _fill(rows, lines):
        yield rows.chunk(opened.raw.tell(), opened.size)
        given = True
    if rows.rows or rows.rejected or not given:
        yield rows.chunk(opened.raw.tell(), opened.size)


def _every_line(parts: Iterator[Block], rows: Rows, name: str) -> Iterator[tuple[int, bytes]]:
    looked = False
    for block in parts:
        if not looked:
            _look(block, name)
            looked = True
        yield from _json_lines(block, rows)


def _fill(rows: Rows, lines: Iterator[tuple[int, bytes]]) -> bool:
    """Whether the chunk is full; the lines have ended where it is not."""
    with uncollected():
        for line, data in lines:
            try:
                rows.add_object(orjson.loads(data), line, len(data))
            except orjson.JSONDecodeError as error:
                rows.refuse(line, f"is no JSON: {error}", data.decode("utf-8", "backslashreplace"))
            if rows.full:
                return True
    return False


def _json_lines(block: Block, rows: Rows) -> Iterator[tuple[int, bytes]]:
    if block.too_long or block.damage is not None:
        text = block.data.decode("utf-8", "backslashreplace")
        if block.too_long:
            rows.refuse(block.first_line, "is longer than 16 MiB; its start is kept here", text)
        else:
            rows.refuse(block.first_line, block.reason, text, "file")
        return
    for offset, line in enumerate(block.data.split(b"\n")):
        data = line.strip()
        if data:
            yield block.first_line + offset, data


def _look(block: Block, name: str) -> None:
    lines = [line.strip() for line in block.data.split(b"\n")]
    if block.damage is None and not any(line.startswith(b"{") for line in lines):
        start = next((line for line in lines if line), b"")[:60].decode("utf-8", "replace")
        raise SourceError(
            f"{name}: is not JSON Lines: no line begins with {{; the first is {start!r}.",
            "Write one JSON object a line, or rename the file to what it is.",
        )


def dict_chunks(source: Iterable[Any], kind: Kind, name: str, chunk_rows: int) -> Iterator[RawChunk]:
    """Rows handed over as mappings."""
    rows = Rows(kind, name, chunk_rows)
    size = len(source) if isinstance(source, Sized) else None
    number = 0
    given = False
    for number, row in enumerate(source, start=1):
        rows.add(row, number)
        if rows.full:
            yield rows.chunk(number, size)
            given = True
    if rows.rows or rows.rejected or not given:
        yield rows.chunk(number, size)
