"""The header of a CSV file: one line of names, or what a loader makes of its first records."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace

import polars as pl

from graphprofile.errors import SourceError
from graphprofile.ingest.mapping import listed
from graphprofile.ingest.text import BLOCK, Block
from graphprofile.records import Heading, RawChunk, SourceFile

SEPARATORS = (",", "\t", ";", "|")
RECORDS = 3
"""No export that is known has more rows of header."""


def csv_header(
    parts: Iterator[Block], source: SourceFile, tabs: bool, name: str
) -> tuple[list[Block], tuple[str, ...], str]:
    """The blocks that remain after the header, the columns, and the separator.

    Raises:
        SourceError: There is no header, or it cannot be read.
    """
    if source.columns is not None:
        return [], source.columns, source.separator or ("\t" if tabs else ",")
    for block in parts:
        if block.damage is not None:
            raise SourceError(
                f"{name}: the file is cut or damaged before its first line ends ({block.damage}).",
                "Get the file again.",
            )
        if block.too_long:
            raise SourceError(
                f"{name}: line {block.first_line} is too long to be a header.", "Line 1 must be the header."
            )
        blank = _blank_lines(block.data)
        data, line = block.data[blank:], block.first_line + block.data[:blank].count(b"\n")
        if data:
            begun = replace(block, data=data, first_line=line)
            if source.heading is not None:
                return _told(begun, parts, source.heading, source.separator, tabs, name)
            first, _, rest = data.partition(b"\n")
            columns, separator = read_header(_text(first, name), source.separator, tabs, name)
            return _left(begun, rest, line + 1), columns, separator
    raise SourceError(f"{name}: the file holds no header and no rows.", "Line 1 must be the header.")


def read_header(text: str, separator: str | None, tabs: bool, source: str) -> tuple[tuple[str, ...], str]:
    """Column names and separator from the first line of a CSV file.

    Raises:
        SourceError: No names, an empty name, or one name twice.
    """
    separator = separator or _separator(text, tabs)
    return _checked(_cells(text, separator, source), source), separator


def with_constants(
    chunks: Generator[RawChunk, None, None], constants: tuple[tuple[str, str], ...]
) -> Generator[RawChunk, None, None]:
    """The same rows with columns that say the same in each; a column that the file has is its own."""
    for chunk in chunks:
        own = chunk.frame.columns
        more = [pl.lit(text).alias(name) for name, text in constants if name not in own]
        yield replace(
            chunk,
            frame=chunk.frame.with_columns(more),
            rejected=[replace(one, constants=constants) for one in chunk.rejected],
        )


def _blank_lines(data: bytes) -> int:
    """Where the first line that is not blank begins."""
    start = len(data) - len(data.lstrip())
    return data.rfind(b"\n", 0, start) + 1 if start < len(data) else len(data)


def _left(block: Block, data: bytes, line: int) -> list[Block]:
    return [replace(block, data=data, first_line=line)] if data else []


def _text(line: bytes, name: str) -> str:
    try:
        text = line.decode("utf-8").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{name}: the header is not UTF-8.",
            "Save the file as UTF-8, or say its encoding under [source] of a mapping file: "
            "`graphprofile map` writes one that does.",
        ) from error
    if "\0" in text:
        raise SourceError(f"{name}: the header holds NUL bytes.", "Check how the file was written.")
    return text


def _cells(text: str, separator: str, name: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), [])
    except csv.Error as error:
        raise SourceError(f"{name}: the header cannot be read: {error}.", "Mend line 1.") from error


def _told(
    block: Block, parts: Iterator[Block], heading: Heading, separator: str | None, tabs: bool, name: str
) -> tuple[list[Block], tuple[str, ...], str]:
    """The header as a loader tells it; a name may hold newlines where it is quoted."""
    data, after = block.data, list[Block]()
    ends = _record_ends(data)
    while len(ends) < RECORDS and len(data) < BLOCK and (more := next(parts, None)) is not None:
        if more.too_long or more.damage is not None:
            after.append(more)
            break
        data += more.data
        ends = _record_ends(data)
    if not ends:
        raise SourceError(
            f"{name}: the header opens a quote that nothing closes.",
            "Mend the header, or save the file again.",
        )
    first = _text(data[: ends[0]].removesuffix(b"\n"), name)
    separator = separator or _separator(first, tabs)
    records = [_cells(first, separator, name)]
    for start, end in itertools.pairwise(ends):
        try:
            records.append(_cells(_text(data[start:end].removesuffix(b"\n"), name), separator, name))
        except SourceError:
            # A bad row: it is refused when its turn comes.
            break
    count, names = heading(records)
    rest = data[ends[count - 1] :]
    line = block.first_line + data[: ends[count - 1]].count(b"\n")
    return [*_left(block, rest, line), *after], _checked(names, name), separator


def _record_ends(data: bytes) -> Sequence[int]:
    """Where the first records end: at newlines that stand in no quotes."""
    ends: list[int] = []
    start = quotes = 0
    while start < len(data) and len(ends) < RECORDS:
        end = data.find(b"\n", start) + 1 or len(data)
        quotes += data.count(b'"', start, end)
        if quotes % 2 == 0:
            ends.append(end)
        start = end
    return ends


def _separator(text: str, tabs: bool) -> str:
    """The separator that a header of this text has."""
    outside_quotes = "".join(text.split('"')[::2])
    return "\t" if tabs else max(SEPARATORS, key=outside_quotes.count)


def _checked(cells: Iterable[str], source: str) -> tuple[str, ...]:
    names = [name.strip() for name in cells]
    if not any(names):
        raise SourceError(f"{source}: the first line names no columns.", "Line 1 must be the header.")
    if "" in names:
        raise SourceError(
            f"{source}: column {names.index('') + 1} of the header has no name.", "Give every column a name."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceError(
            f"{source}: the header names {listed(twice)} twice.", "Rename one of the two columns."
        )
    return tuple(names)
