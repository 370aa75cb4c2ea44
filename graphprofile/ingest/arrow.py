"""Tables: Parquet files, data frames, Arrow tables and streams."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from graphprofile.errors import SourceError
from graphprofile.ingest.files import DAMAGED, Opened
from graphprofile.ingest.mapping import listed
from graphprofile.records import Kind, RawChunk, Rejection

# The largest and the smallest numbers; and what becomes of them where a driver moves PostgreSQL's epoch of 2000.
_ENDLESS = {
    "days": {
        2**31 - 1: "infinity",
        -(2**31) + 1: "-infinity",
        -(2**31) + 10_956: "infinity",
        -(2**31) + 10_957: "-infinity",
    },
    "time": {
        2**63 - 1: "infinity",
        -(2**63) + 1: "-infinity",
        -(2**63) + 946_684_799_999_999: "infinity",
        -(2**63) + 946_684_800_000_000: "-infinity",
    },
}
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
    check_names(schema.names, name)
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
        yield from batch_chunks(batch, kind, name, row, total, chunk_rows)
        row += batch.num_rows
    if not row:
        yield empty_chunk(schema, kind, name)


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
    check_names(reader.schema.names, name)
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
            chunk = RawChunk(kind, name, frame, lines, [], start + frame.height, source.height)
            yield without_endless_times(chunk)
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
        yield from batch_chunks(batch, kind, name, row, None, chunk_rows)
        row += batch.num_rows
    if not row:
        yield empty_chunk(reader.schema, kind, name)


def empty_chunk(schema: Any, kind: Kind, name: str) -> RawChunk:
    """No rows, with their columns."""
    return RawChunk(kind, name, _from_arrow(schema.empty_table()), [], [], 0, 0)


def batch_chunks(
    batch: Any, kind: Kind, name: str, before: int, total: int | None, chunk_rows: int
) -> Iterator[RawChunk]:
    """The rows of a record batch.

    Args:
        batch: The batch.
        kind: What its rows describe.
        name: Of the source.
        before: Rows of the source that came before.
        total: Rows of the source, where that is known.
        chunk_rows: Most rows in one chunk.
    """
    for start in range(0, batch.num_rows, chunk_rows):
        part = batch.slice(start, chunk_rows)
        bad = _undecodable(part, 0)
        lines = range(before + start + 1, before + start + part.num_rows + 1)
        position = before + start + part.num_rows
        if not bad:
            yield without_endless_times(RawChunk(kind, name, _from_arrow(part), lines, [], position, total))
            continue
        good = [row for row in range(part.num_rows) if row not in bad]
        reason = "holds text that is not UTF-8: mend it"
        refused = [
            Rejection(name, lines[row], "row", reason, _as_text(part, row), kind) for row in sorted(bad)
        ]
        frame = _from_arrow(part.take(good))
        kept = [lines[row] for row in good]
        yield without_endless_times(RawChunk(kind, name, frame, kept, refused, position, total))


def without_endless_times(chunk: RawChunk) -> RawChunk:
    """The chunk without the rows whose dates lie outside the years 1 to 9999, ``infinity`` among them: refused.

    Nothing that comes after could hold such a date: it is no date to Python, and Polars ends the process over it.
    """
    frame = chunk.frame
    wrong: dict[int, str] = {}
    columns = []
    for column in frame.get_columns():
        beyond = _beyond(column)
        if beyond is not None:
            columns.append(column.name)
            for row in beyond.arg_true().to_list():
                wrong.setdefault(row, column.name)
    if not wrong:
        return chunk
    rows = sorted(wrong)
    shown = frame[rows].with_columns([_spelled(frame[name][rows]) for name in columns])
    reason = "is no time between the years 1 and 9999: mend it"
    refused = [
        Rejection(chunk.source, chunk.lines[row], wrong[row], reason, values, chunk.kind)
        for row, values in zip(rows, shown.rows(named=True), strict=True)
    ]
    good = [row for row in range(frame.height) if row not in wrong]
    rejected = sorted([*chunk.rejected, *refused], key=lambda rejection: rejection.line)
    lines = [chunk.lines[row] for row in good]
    return replace(chunk, frame=frame[good], lines=lines, rejected=rejected)


def _beyond(column: pl.Series) -> pl.Series | None:
    """Which dates Python does not know, None where that is none of them."""
    bounds = _bounds(column.dtype)
    if bounds is None:
        return None
    beyond = (~column.to_physical().cast(pl.Int64).is_between(*bounds)).fill_null(False)
    return beyond if beyond.any() else None


def _bounds(dtype: Any) -> tuple[int, int] | None:
    """First and last number of a date that Python knows."""
    if dtype == pl.Date:
        return -719_162, 2_932_896
    if isinstance(dtype, pl.Datetime) and dtype.time_unit != "ns":
        # A day less at either end: a zone may move it across.
        per_day = 86_400_000 * (1 if dtype.time_unit == "ms" else 1_000)
        return -719_161 * per_day, 2_932_896 * per_day - 1
    return None


def _spelled(column: pl.Series) -> pl.Series:
    """Dates as text, whatever their year."""
    unit: Any = "D" if column.dtype == pl.Date else getattr(column.dtype, "time_unit", None)
    zone = "" if getattr(column.dtype, "time_zone", None) is None else "Z"
    endless = _ENDLESS["days" if unit == "D" else "time"]

    def text(number: int | None) -> str | None:
        if number is None:
            return None
        return endless.get(number) or f"{np.datetime64(number, unit)}{zone}"

    return pl.Series(column.name, [text(one) for one in column.to_physical().to_list()], dtype=pl.String)


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


def check_names(names: list[str], source: str) -> None:
    """Refuse a table that names a column twice.

    Raises:
        SourceError: It does.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceError(f"{source}: two columns are named {listed(twice)}.", "Rename one of the two.")


def _from_arrow(table: Any) -> pl.DataFrame:
    frame = pl.DataFrame(table)
    return frame.drop([name for name in frame.columns if _INDEX.match(name)])
