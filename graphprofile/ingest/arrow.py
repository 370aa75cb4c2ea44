"""Tables: Parquet files, data frames, Arrow tables and streams."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import polars as pl

from graphprofile.errors import SourceError
from graphprofile.ingest.files import DAMAGED, Opened
from graphprofile.ingest.mapping import listed
from graphprofile.records import Kind, RawChunk, Rejection

_INDEX = re.compile(r"__index_level_\d+__\Z")


def is_frame(source: Any) -> bool:
    """Whether an object is a table: a Polars, pandas or Arrow one, or speaks Arrow's C stream."""
    return isinstance(source, (pl.DataFrame, pl.LazyFrame)) or hasattr(source, "__arrow_c_stream__")


def parquet_chunks(opened: Opened, kind: Kind, name: str, chunk_rows: int) -> Iterator[RawChunk]:
    """Rows of a Parquet file.

    Raises:
        SourceError: The file cannot be read, or names a column twice.
    """
    import pyarrow as pa
    from pyarrow import parquet

    # Damaged files make the library raise plain ValueErrors too, of text that cannot be decoded.
    damage = (pa.ArrowException, ValueError, *DAMAGED)
    try:
        file = parquet.ParquetFile(opened.raw, buffer_size=1 << 20, pre_buffer=False)
        schema = file.schema_arrow
    except damage as error:
        raise SourceError(f"{name}: the Parquet file is damaged: {error}.", "Get the file again.") from error
    total = file.metadata.num_rows
    _check_names(schema.names, name)
    batches = file.iter_batches(batch_size=chunk_rows)
    row = 0
    while True:
        try:
            batch = next(batches, None)
        except damage as error:
            reason = f"the file is damaged from here on ({error}): all before it was read; get the file again"
            lost = Rejection(name, row + 1, "file", reason, None, kind)
            yield RawChunk(kind, name, _from_arrow(schema.empty_table()), [], [lost], row, total)
            return
        if batch is None:
            break
        yield from _batch_chunks(batch, kind, name, row, total, chunk_rows)
        row += batch.num_rows
    if not row:
        yield RawChunk(kind, name, _from_arrow(schema.empty_table()), [], [], 0, 0)


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
        for start in range(0, max(source.height, 1), chunk_rows):
            frame = source[start : start + chunk_rows]
            lines = range(start + 1, start + frame.height + 1)
            yield RawChunk(kind, name, frame, lines, [], start + frame.height, source.height)
        return
    import pyarrow as pa

    reader = arrow_reader(source, name)
    row = 0
    while True:
        try:
            batch = next(reader, None)
        except (pa.ArrowException, OSError) as error:
            raise _no_arrow(name, error) from error
        if batch is None:
            break
        yield from _batch_chunks(batch, kind, name, row, None, chunk_rows)
        row += batch.num_rows
    if not row:
        yield RawChunk(kind, name, _from_arrow(reader.schema.empty_table()), [], [], 0, 0)


def _batch_chunks(
    batch: Any, kind: Kind, name: str, before: int, total: int | None, chunk_rows: int
) -> Iterator[RawChunk]:
    for start in range(0, batch.num_rows, chunk_rows):
        part = batch.slice(start, chunk_rows)
        bad = _undecodable(part, 0)
        lines = range(before + start + 1, before + start + part.num_rows + 1)
        position = before + start + part.num_rows
        if not bad:
            yield RawChunk(kind, name, _from_arrow(part), lines, [], position, total)
            continue
        good = [row for row in range(part.num_rows) if row not in bad]
        reason = "holds text that is not UTF-8: mend it"
        refused = [
            Rejection(name, lines[row], "row", reason, _as_text(part, row), kind) for row in sorted(bad)
        ]
        frame = _from_arrow(part.take(good))
        yield RawChunk(kind, name, frame, [lines[row] for row in good], refused, position, total)


def _undecodable(batch: Any, first: int) -> set[int]:
    """Rows whose text is not UTF-8: Arrow does not look by itself, and what comes after it trusts it."""
    import pyarrow as pa

    try:
        batch.validate(full=True)
    except pa.ArrowException:
        if batch.num_rows == 1:
            return {first}
        half = batch.num_rows // 2
        return _undecodable(batch.slice(0, half), first) | _undecodable(batch.slice(half), first + half)
    return set()


def _as_text(batch: Any, row: int) -> dict[str, str]:
    return {
        name: str(column.cast("binary")[0].as_py().decode("utf-8", "backslashreplace"))
        for name, column in zip(batch.schema.names, batch.slice(row, 1).columns, strict=True)
        if str(column.type) in ("string", "large_string") and column.null_count == 0
    }


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
    frame = pl.DataFrame(table)
    return frame.drop([name for name in frame.columns if _INDEX.match(name)])
