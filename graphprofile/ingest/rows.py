"""Rows that are no CSV: JSON Lines, Parquet, frames and dicts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any

import orjson
import polars as pl

from graphprofile.errors import SourceError
from graphprofile.ingest.fields import encodable
from graphprofile.ingest.files import DAMAGED, Opened
from graphprofile.ingest.mapping import listed
from graphprofile.ingest.text import Block, blocks
from graphprofile.records import Kind, RawChunk, Rejection

MAX_COLUMNS = 1_000
CHUNK_BYTES = 16 << 20
_INDEX = re.compile(r"__index_level_\d+__\Z")
_EXACT = 2**53


class _Rows:
    """Rows that each bring their own fields, gathered into a chunk."""

    def __init__(self, kind: Kind, name: str, chunk_rows: int) -> None:
        self.kind, self.name, self.chunk_rows = kind, name, chunk_rows
        self.clear()

    def clear(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.lines: list[int] = []
        self.names: dict[str, None] = {}
        self.rejected: list[Rejection] = []
        self.bytes = 0

    @property
    def full(self) -> bool:
        return (
            len(self.rows) >= self.chunk_rows
            or len(self.rejected) >= self.chunk_rows
            or self.bytes >= CHUNK_BYTES
            or len(self.names) > MAX_COLUMNS
        )

    def add(self, row: Any, line: int, size: int = 0) -> None:
        if not isinstance(row, Mapping):
            self.refuse(line, f"is a {_json_type(row)}, not an object of fields", row)
        elif len(row) > MAX_COLUMNS:
            self.refuse(line, f"has {len(row)} fields: at most {MAX_COLUMNS}", row)
        else:
            named = row if all(type(key) is str for key in row) else {str(key): row[key] for key in row}
            if not all(key.isascii() or encodable(key) for key in named):
                self.refuse(line, "has a field whose name is no text", row)
                return
            self.rows.append(dict(named))
            self.lines.append(line)
            self.names.update(dict.fromkeys(named))
            self.bytes += size

    def refuse(self, line: int, reason: str, row: Any, field: str = "row") -> None:
        self.rejected.append(Rejection(self.name, line, field, reason, row, self.kind))

    def chunk(self, position: int, size: int | None) -> RawChunk:
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
    """Python values as a column: text, integers, floats or booleans where all are, else objects."""
    kinds = set(map(type, values)) - {type(None)}
    try:
        if not kinds or kinds == {str}:
            return pl.Series(name, values, dtype=pl.String)
        if kinds == {bool}:
            return pl.Series(name, values, dtype=pl.Boolean)
        if kinds == {int}:
            return pl.Series(name, values, dtype=pl.Int64)
        if kinds == {float} or (
            kinds == {int, float} and all(abs(value) <= _EXACT for value in values if type(value) is int)
        ):
            return pl.Series(name, [None if v is None else float(v) for v in values], dtype=pl.Float64)
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
    rows = _Rows(kind, name, chunk_rows)
    given = looked = False
    for block in blocks(opened.stream, encoding, block_size):
        if not looked:
            _look(block, name)
            looked = True
        for line, data in _json_lines(block, rows):
            try:
                rows.add(orjson.loads(data), line, len(data))
            except orjson.JSONDecodeError as error:
                rows.refuse(line, f"is no JSON: {error}", data.decode("utf-8", "backslashreplace"))
            if rows.full:
                yield rows.chunk(opened.raw.tell(), opened.size)
                given = True
    if rows.rows or rows.rejected or not given:
        yield rows.chunk(opened.raw.tell(), opened.size)


def _json_lines(block: Block, rows: _Rows) -> Iterator[tuple[int, bytes]]:
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


def parquet_chunks(opened: Opened, kind: Kind, name: str, chunk_rows: int) -> Iterator[RawChunk]:
    """Rows of a Parquet file.

    Raises:
        SourceError: The file cannot be read, or names a column twice.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(opened.raw, buffer_size=1 << 20, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{name}: the Parquet file is damaged: {error}.", "Get the file again.") from error
    total = file.metadata.num_rows
    _check_names(file.schema_arrow.names, name)
    batches = file.iter_batches(batch_size=chunk_rows)
    row = 0
    while True:
        try:
            batch = next(batches, None)
        except (pa.ArrowException, *DAMAGED) as error:
            reason = f"the file is damaged from here on ({error}): all before it was read; get the file again"
            lost = Rejection(name, row + 1, "file", reason, None, kind)
            yield _framed(_no_rows(file.schema_arrow), kind, name, row, total, [lost])
            return
        if batch is None:
            break
        yield _framed(_from_arrow(batch), kind, name, row, total, [])
        row += batch.num_rows
    if not row:
        yield _framed(_no_rows(file.schema_arrow), kind, name, 0, 0, [])


def _no_rows(schema: Any) -> pl.DataFrame:
    return _from_arrow(schema.empty_table())


def is_frame(source: Any) -> bool:
    """Whether an object is a table: a Polars, pandas or Arrow one, or speaks Arrow's C stream."""
    return isinstance(source, (pl.DataFrame, pl.LazyFrame)) or hasattr(source, "__arrow_c_stream__")


def arrow_reader(source: Any, name: str) -> Any:
    """An Arrow ``RecordBatchReader`` over a table or stream.

    Raises:
        SourceError: The table cannot be read as Arrow, or names a column twice.
    """
    import pyarrow as pa

    try:
        reader = (
            source if isinstance(source, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(source)
        )
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise _no_arrow(name, error) from error
    _check_names(reader.schema.names, name)
    return reader


def frame_chunks(source: Any, kind: Kind, name: str, chunk_rows: int) -> Iterator[RawChunk]:
    """Rows of a table in memory, or of an Arrow stream.

    Raises:
        SourceError: The table cannot be read as Arrow, or names a column twice.
    """
    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    if isinstance(source, pl.DataFrame):
        yield from _sliced(source, kind, name, 0, source.height, chunk_rows)
        return
    import pyarrow as pa

    reader = arrow_reader(source, name)
    empty = _no_rows(reader.schema)
    row = 0
    while True:
        try:
            batch = next(reader, None)
        except (pa.ArrowException, OSError) as error:
            raise _no_arrow(name, error) from error
        if batch is None:
            break
        if batch.num_rows:
            yield from _sliced(_from_arrow(batch), kind, name, row, None, chunk_rows)
        row += batch.num_rows
    if not row:
        yield _framed(empty, kind, name, 0, 0, [])


def _no_arrow(name: str, error: Exception) -> SourceError:
    return SourceError(
        f"{name}: the table cannot be read as Arrow: {error}.",
        "Give every column one type, or hand over dicts: df.to_dict('records').",
    )


def _check_names(names: list[str], source: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceError(f"{source}: two columns are named {listed(twice)}.", "Rename one of the two.")


def _from_arrow(table: Any) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):
        raise SourceError("The Arrow data are no table.", "Give a table of named columns.")
    return frame.drop([name for name in frame.columns if _INDEX.match(name)])


def _sliced(
    frame: pl.DataFrame, kind: Kind, name: str, before: int, total: int | None, chunk_rows: int
) -> Iterator[RawChunk]:
    for start in range(0, max(frame.height, 1), chunk_rows):
        yield _framed(frame[start : start + chunk_rows], kind, name, before + start, total, [])


def _framed(
    frame: pl.DataFrame, kind: Kind, name: str, before: int, total: int | None, rejected: list[Rejection]
) -> RawChunk:
    lines = range(before + 1, before + frame.height + 1)
    return RawChunk(kind, name, frame, lines, rejected, position=before + frame.height, size=total)


def dict_chunks(source: Iterable[Any], kind: Kind, name: str, chunk_rows: int) -> Iterator[RawChunk]:
    """Rows handed over as mappings."""
    rows = _Rows(kind, name, chunk_rows)
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
