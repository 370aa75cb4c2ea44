"""Sources of any kind as chunks of rows, and these checked: the way in for everything that is loaded."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable, Iterator, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from graphprofile.errors import SourceError, UsageError
from graphprofile.ingest.arrays import Elements, array_chunks
from graphprofile.ingest.arrow import arrow_reader, frame_chunks, is_frame, parquet_chunks
from graphprofile.ingest.check import check_descriptions, check_events, check_retracted, split_retracted
from graphprofile.ingest.documents import Documents
from graphprofile.ingest.files import Opened, expand_paths, open_source
from graphprofile.ingest.header import csv_header, with_constants
from graphprofile.ingest.mapping import Mapping, check_required, guess_kind
from graphprofile.ingest.occurrences import Occurrences
from graphprofile.ingest.quality.filled import count_filled
from graphprofile.ingest.rows import ROWS, dict_chunks, json_chunks
from graphprofile.ingest.runs import run_chunks
from graphprofile.ingest.slices import in_slices
from graphprofile.ingest.sql.reading import OpenSource, sql_chunks
from graphprofile.ingest.sql.source import SqlSource
from graphprofile.ingest.text import BLOCK, Block, CsvLines, Table, blocks
from graphprofile.ingest.times import TimeUnit
from graphprofile.ingest.together import keep_together
from graphprofile.ingest.transformed import once_a_row, transformed
from graphprofile.ingest.uncollected import uncollected
from graphprofile.pipeline import ahead
from graphprofile.records import (
    Chunk,
    DescriptionChunk,
    EventChunk,
    Kind,
    Loader,
    RawChunk,
    ReadingLoader,
    Rejection,
    RetractionChunk,
    SourceFile,
)
from graphprofile.vocabulary import Vocabulary

__all__ = ["CHUNK_ROWS", "ROWS", "expand_paths", "read_checked", "read_source", "source_columns"]

CHUNK_ROWS = 20_000
CHUNK_BYTES = 16 << 20
CHECK_ROWS = 40_000
"""Rows checked at once: every operation on columns has a price of its own, so few large ones are cheaper."""

C = TypeVar("C", EventChunk, DescriptionChunk, RetractionChunk)
Source = Any
"""A :class:`SourceFile` or path, a frame (Polars, pandas, Arrow), a query, an iterable of dicts, or a chunk of one of
these that was read before."""


def read_source(
    source: Source, kind: Kind | None = None, *, chunk_rows: int = CHUNK_ROWS
) -> Generator[RawChunk, None, None]:
    """The rows of a source, chunk by chunk, in bounded memory.

    Args:
        source: A file, a frame, a query or an iterable of dicts.
        kind: What the rows describe; None takes the file's own.
        chunk_rows: Most rows in one chunk.

    Raises:
        SourceError: The source cannot be read at all: no such file, empty, not what its name says, a header
            without names or with one name twice.
        UsageError: The object is no source.
    """
    if isinstance(source, (str, Path)):
        source = SourceFile(Path(source), kind)
    if isinstance(source, SourceFile):
        chunk_rows = min(chunk_rows, source.at_once or chunk_rows)
        chunks = _file_chunks(source, kind or source.kind or "events", chunk_rows)
        if source.constants:
            chunks = with_constants(chunks, source.constants)
        if source.together is None:
            yield from chunks
        else:
            yield from keep_together(chunks, source.together, source.fill)
    elif isinstance(source, SqlSource | OpenSource):
        yield from sql_chunks(source, kind or source.kind or "events", chunk_rows)
    elif isinstance(source, RawChunk):
        yield replace(source, kind=kind or source.kind)
    elif is_frame(source):
        yield from frame_chunks(source, kind or "events", ROWS, chunk_rows)
    elif isinstance(source, AbstractMapping) or not isinstance(source, Iterable):
        raise _no_source(source)
    else:
        yield from dict_chunks(source, kind or "events", ROWS, chunk_rows)


def _no_source(source: object) -> UsageError:
    return UsageError(
        f"A {type(source).__name__} is no source of rows.", "Give a path, a DataFrame, or a list of dicts."
    )


def source_name(source: Source) -> str:
    """What a source is called in messages."""
    if isinstance(source, SqlSource | OpenSource):
        return source.name
    if isinstance(source, RawChunk):
        return source.source
    return str(source.path) if isinstance(source, SourceFile) else ROWS


def source_columns(source: Source) -> tuple[list[str], Source]:
    """Names of the columns (of the first chunk's rows), and the source to go on with."""
    if isinstance(source, SourceFile):
        chunks = _file_chunks(source, "events", 1_000, block_size=1 << 16)
        try:
            return next(chunks).frame.columns, source
        finally:
            chunks.close()
    if isinstance(source, SqlSource):
        opened = OpenSource(source)
        return opened.columns, opened
    if is_frame(source):
        return _frame_columns(source)
    kept = source if isinstance(source, Sequence) else None
    iterator = iter(source)
    head = list(itertools.islice(iterator, 100))
    names: dict[str, None] = {}
    for row in head:
        if isinstance(row, AbstractMapping):
            names.update(dict.fromkeys(str(key) for key in row))
    return list(names), itertools.chain(head, iterator) if kept is None else kept


def _frame_columns(source: Any) -> tuple[list[str], Source]:
    if isinstance(source, pl.DataFrame):
        return source.columns, source
    if isinstance(source, pl.LazyFrame):
        collected = source.collect()
        return collected.columns, collected
    # A stream can be read once only, and its schema is known before its first batch.
    reader = arrow_reader(source, ROWS)
    return list(reader.schema.names), reader


def read_checked(
    source: Source,
    loader: Loader,
    kind: Kind | None,
    mapping: Mapping,
    vocabulary: Vocabulary,
    *,
    time_zone: str | None = None,
    time_unit: TimeUnit | None = None,
    now_ms: int | None = None,
    chunk_rows: int = CHUNK_ROWS,
    check_rows: int | None = None,
) -> Iterator[Chunk]:
    """Read, transform, map and check a source.

    Args:
        source: As for :func:`read_source`.
        loader: Turns the source's columns into the generic ones.
        kind: What the rows describe; None takes the file's own, or tells it by the columns.
        mapping: Applied after the loader's ``transform``.
        vocabulary: Which events there are.
        time_zone: Zone of times that name none; None takes the loader's.
        time_unit: Unit of times that are numbers.
        now_ms: The present, epoch ms.
        chunk_rows: Most rows in one chunk.
        check_rows: Most rows transformed and checked at once; None takes what is quick.

    Raises:
        SourceError: The source cannot be read at all, or lacks a required column; or the loader lost rows.
        UsageError: The object is no source, or the time zone is unknown.
    """
    if isinstance(source, (str, Path)):
        source = SourceFile(Path(source), kind)
    if kind is None and isinstance(source, SourceFile | SqlSource):
        kind = source.kind
    if isinstance(source, AbstractMapping) or not (
        isinstance(source, SourceFile | SqlSource | RawChunk | Iterable) or is_frame(source)
    ):
        raise _no_source(source)
    if kind is None:
        columns, source = source_columns(source)
        try:
            kind = guess_kind(mapping.fields(columns), source_name(source))
        except SourceError:
            if isinstance(source, OpenSource):
                source.close()
            raise
    zone = time_zone or loader.time_zone
    occurrences = Occurrences()
    must_have = True
    chunks = read_source(source, kind, chunk_rows=check_rows or max(chunk_rows, CHECK_ROWS))
    reading = loader.begin(source, kind) if isinstance(loader, ReadingLoader) else None
    if isinstance(source, SourceFile | SqlSource | OpenSource):
        # Three steps side by side: the next chunk is read, this one transformed, the one before checked.
        parts = ahead(transformed(ahead(chunks), loader, reading, mapping))
    else:
        parts = transformed(chunks, loader, reading, mapping)
    for made in parts:
        raw, mapped, skipped, cleaned = made.raw, made.frame, made.skipped, made.cleaned
        original = raw.frame
        # Rows that bring their own fields are judged one by one, except a whole file that never has one.
        if must_have and (raw.fixed_columns or (raw.source != ROWS and mapped.height)):
            check_required(mapped.columns, kind, raw.source)
        must_have = False
        ready = replace(raw, frame=mapped)
        if kind == "retracted":
            found = _looked_at(ready, check_retracted(ready, vocabulary, original=original))
            yield from in_slices(found, chunk_rows)
        elif kind == "events":
            ready, original, withdrawn = split_retracted(ready, original)
            if withdrawn is not None:
                gone, gone_original = withdrawn
                found = _looked_at(gone, check_retracted(gone, vocabulary, original=gone_original))
                if made.several:
                    found.rejected = once_a_row(found.rejected)
                yield from in_slices(found, chunk_rows)
                if not ready.frame.height and not skipped and not cleaned:
                    continue
            chunk = check_events(
                ready,
                vocabulary,
                time_zone=zone,
                time_unit=time_unit,
                now_ms=now_ms,
                original=original,
                occurrences=occurrences,
            )
            chunk = _looked_at(ready, chunk)
            if made.several:
                chunk.rejected = once_a_row(chunk.rejected)
            yield from in_slices(replace(chunk, skipped=skipped, cleaned=cleaned), chunk_rows)
        else:
            with uncollected():
                described = check_descriptions(ready, time_zone=zone, time_unit=time_unit, original=original)
            described = _looked_at(ready, described)
            if made.several:
                described.rejected = once_a_row(described.rejected)
            yield from in_slices(replace(described, skipped=skipped, cleaned=cleaned), chunk_rows)


def _looked_at(ready: RawChunk, chunk: C) -> C:
    """The chunk, with what is told of its rows together: how many have a value in each column, and the events."""
    faultless = len(chunk.rejected) == len(ready.rejected)
    chunk.filled = count_filled(ready.frame, ready.kind, faultless=faultless)
    if isinstance(chunk, EventChunk):
        chunk.filled.events = chunk.frame
    return chunk


def _file_chunks(
    source: SourceFile, kind: Kind, chunk_rows: int, block_size: int = BLOCK
) -> Generator[RawChunk, None, None]:
    opened = open_source(source)
    name = str(source.path)
    try:
        if opened.format == "parquet":
            yield from parquet_chunks(opened, kind, name, chunk_rows)
        elif opened.format == "json":
            elements = Elements(opened, source.encoding, block_size)
            yield from array_chunks(opened, elements, kind, name, chunk_rows)
        elif opened.format == "documents":
            elements = Documents(opened, source.encoding, block_size, source.inside)
            yield from array_chunks(opened, elements, kind, name, chunk_rows)
        elif opened.format == "jsonl":
            yield from json_chunks(opened, source.encoding, kind, name, chunk_rows, block_size)
        elif opened.format == "runs":
            yield from run_chunks(opened, source, kind, name, chunk_rows, block_size)
        else:
            yield from _csv_chunks(opened, source, kind, name, chunk_rows, block_size)
    finally:
        opened.raw.close()


def _csv_chunks(
    opened: Opened, source: SourceFile, kind: Kind, name: str, chunk_rows: int, block_size: int
) -> Iterator[RawChunk]:
    parts = blocks(opened.stream, source.encoding, block_size)
    first, columns, separator = csv_header(parts, source, opened.format == "tsv", name)
    parser = CsvLines(columns, separator, source.quoting)
    empty = parser.table(b"", 1, True)
    pending = _Pending(kind, name, opened, parser, empty.frame, chunk_rows)
    rest = b""
    for block, final in _with_last(itertools.chain(first, parts)):
        if block.too_long or block.damage is not None:
            if rest:
                start = block.first_line - rest.count(b"\n")
                pending.add(parser.table(rest, start, True))
                rest = b""
            pending.refuse(block)
        else:
            data = rest + block.data
            table = parser.table(data, block.first_line - rest.count(b"\n"), final)
            rest = table.rest
            pending.add(table)
        yield from pending.ready()
    if pending.frame.height or pending.rejected or not pending.given:
        yield pending.chunk()


def _with_last(parts: Iterator[Block]) -> Iterator[tuple[Block, bool]]:
    """Each block, and whether no more text follows it."""
    before: Block | None = None
    for block in parts:
        if before is not None:
            yield before, False
        before = block
    if before is not None:
        yield before, True


def _numbers(lines: npt.NDArray[np.int64]) -> Sequence[int]:
    """Ascending line numbers; a range where none is left out, which no list of a million numbers can beat."""
    if len(lines) and lines[-1] - lines[0] == len(lines) - 1:
        return range(int(lines[0]), int(lines[-1]) + 1)
    numbers: list[int] = lines.tolist()
    return numbers


class _Pending:
    """Rows of several blocks on their way into chunks."""

    def __init__(
        self, kind: Kind, name: str, opened: Opened, parser: CsvLines, empty: pl.DataFrame, chunk_rows: int
    ) -> None:
        self.kind, self.name, self.opened, self.parser = kind, name, opened, parser
        self.empty, self.chunk_rows = empty, chunk_rows
        self.frame = empty
        self.lines: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.rejected: list[Rejection] = []
        self.given = False

    def add(self, table: Table) -> None:
        if table.frame.height:
            self.frame = pl.concat([self.frame, table.frame]) if self.frame.height else table.frame
            self.lines = np.concatenate([self.lines, table.lines])
        for line, reason, text in table.refused:
            self._refuse(line, "row", reason, text)

    def refuse(self, block: Block) -> None:
        text = block.data.decode("utf-8", "backslashreplace")
        if block.damage is None:
            self._refuse(block.first_line, "row", "is longer than 16 MiB; its start is kept here", text)
        else:
            self._refuse(block.first_line, "file", block.reason, text)

    def _refuse(self, line: int, field: str, reason: str, text: str) -> None:
        columns, separator = self.parser.columns, self.parser.separator
        self.rejected.append(Rejection(self.name, line, field, reason, text, self.kind, columns, separator))

    def ready(self) -> Iterator[RawChunk]:
        """Full chunks."""
        step = self.chunk_rows
        if self.frame.height:
            step = max(
                1, min(step, CHUNK_BYTES * self.frame.height // max(int(self.frame.estimated_size()), 1))
            )
        while self.frame.height >= step or len(self.rejected) >= self.chunk_rows:
            yield self.chunk(step)

    def chunk(self, rows: int | None = None) -> RawChunk:
        """The first rows pending, all of them by default."""
        frame, self.frame = (
            (self.frame, self.empty) if rows is None else (self.frame[:rows], self.frame[rows:])
        )
        lines, self.lines = _numbers(self.lines[: frame.height]), self.lines[frame.height :]
        rejected, self.rejected = self.rejected, []
        self.given = True
        position, size = self.opened.raw.tell(), self.opened.size
        return RawChunk(self.kind, self.name, frame, lines, rejected, position=position, size=size)
