"""Text files as blocks of whole lines, and CSV lines as columns."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
import polars as pl

from graphprofile.errors import SourceError
from graphprofile.ingest.files import DAMAGED

BLOCK = 4 << 20
MAX_LINE = 16 << 20
MAX_FIELD = 1 << 20
SHOWN = 2_000

csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Put a byte that is no UTF-8 where another encoding met one that it does not know."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error("graphprofile.mark", _mark)


@dataclass(frozen=True)
class Block:
    """Whole lines of UTF-8 text.

    Attributes:
        data: The lines; the last one ends the file where it has no newline.
        first_line: Number of the first line, from 1.
        lines: How many lines it stands for.
        too_long: ``data`` is the start of one line that is too long to be read.
        damage: Why the file cannot be read beyond this block; ``data`` is then the cut line.
    """

    data: bytes
    first_line: int
    lines: int
    too_long: bool = False
    damage: str | None = None

    @property
    def reason(self) -> str:
        """What the quarantine says of damage."""
        return f"the file is cut or damaged here ({self.damage}): all before it was read; get the file again"


def blocks(stream: IO[bytes], encoding: str, block_size: int = BLOCK) -> Iterator[Block]:
    """The lines of a stream, block by block, as UTF-8.

    Bytes that are not of the encoding stay no UTF-8, so that their lines can be told.
    """
    carry, line = b"", 1
    skipped: bytes | None = None
    damage: str | None = None
    parts = utf8_parts(stream, encoding, block_size)
    while True:
        try:
            part = next(parts, b"")
        except DAMAGED as error:
            damage = str(error) or type(error).__name__
            break
        if not part:
            break
        if skipped is not None:
            end = part.find(b"\n")
            if end < 0:
                continue
            yield Block(skipped, line, 1, too_long=True)
            line, skipped, part = line + 1, None, part[end + 1 :]
        data = carry + part if carry else part
        end = data.rfind(b"\n") + 1
        whole, carry = data[:end], data[end:]
        if whole:
            count = _line_count(whole)
            yield Block(whole, line, count)
            line += count
        if len(carry) > MAX_LINE:
            skipped, carry = carry[:SHOWN], b""
    if skipped is not None:
        yield Block(skipped, line, 1, too_long=True)
    if damage is not None:
        yield Block(carry, line, 1, damage=damage)
    elif carry:
        yield Block(carry, line, 1)


def utf8_parts(stream: IO[bytes], encoding: str, block_size: int) -> Iterator[bytes]:
    """A stream in parts, as UTF-8 without a byte order mark; bytes not of the encoding stay no UTF-8."""
    parts = _parts(stream, block_size)
    first = next(parts, b"")
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif first.startswith(b"\xef\xbb\xbf"):
        first, encoding = first[3:], "utf-8"
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise SourceError(f"Unknown encoding {encoding!r}.", "Use a name such as utf-8 or cp1252.") from error
    plain = name in ("utf-8", "utf-8-sig", "ascii")
    decode = None if plain else codecs.getincrementaldecoder(name)("graphprofile.mark")
    part, old_mac = first, _only_returns(first) if plain else False
    while part:
        if decode is not None:
            part = decode.decode(part).encode("utf-8", "surrogateescape")
        if part:
            yield part.replace(b"\r", b"\n") if old_mac else part
        part = next(parts, b"")
    if decode is not None and (rest := decode.decode(b"", final=True)):
        yield rest.encode("utf-8", "surrogateescape")


def _odd_lines(data: bytes) -> bool:
    """Whether a line is blank, or holds a carriage return that does not end it."""
    if data.startswith(b"\n"):
        return True
    text = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(text == 10)
    returns = text[ends - 1] == 13
    blank = np.diff(ends, prepend=-1) - returns == 1
    return bool(blank.any()) or data.count(b"\r") != np.count_nonzero(returns)


def _line_count(data: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) == 10))


def _parts(stream: IO[bytes], size: int) -> Iterator[bytes]:
    """The stream in parts of a size; what came before damage is given out before it is raised."""
    read1: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    while True:
        pieces: list[bytes] = []
        missing = size
        try:
            while missing and (piece := read1(missing)):
                pieces.append(piece)
                missing -= len(piece)
        except DAMAGED:
            if pieces:
                yield b"".join(pieces)
            raise
        if not pieces:
            return
        yield b"".join(pieces)


def _only_returns(data: bytes) -> bool:
    return b"\n" not in data and b"\r" in data


@dataclass
class Table:
    """Rows of one block: columns of equal length, line numbers, and lines that are no rows."""

    frame: pl.DataFrame
    lines: np.ndarray[Any, np.dtype[np.int64]]
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    rest: bytes = b""


class CsvLines:
    """Splits blocks of CSV lines into the columns of a header."""

    def __init__(self, columns: tuple[str, ...], separator: str, quoting: bool) -> None:
        self.columns = columns
        self.separator = separator
        self.quoting = quoting

    def table(self, data: bytes, first_line: int, final: bool) -> Table:
        """The rows of a block.

        ``rest`` is the end of the block where a quoted field goes on into the next one; it is empty when
        ``final``.
        """
        return (
            self._fast(data, first_line)
            or self._plain_quotes(data, first_line)
            or self._careful(data, first_line, final)
        )

    def _fast(self, data: bytes, first_line: int) -> Table | None:
        """All lines at once, where none of them needs care."""
        if (self.quoting and b'"' in data) or b"\0" in data or _odd_lines(data):
            return None
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        names = [str(index) for index in range(len(self.columns))]
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(data),
                read_options=arrow_csv.ReadOptions(
                    column_names=names, block_size=max(len(data) // 2, MAX_LINE)
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self.separator,
                    quote_char=False,
                    newlines_in_values=False,
                    ignore_empty_lines=False,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            )
        except pa.ArrowInvalid:
            return None
        frame = pl.DataFrame(table)
        if len(names) == 1 and (frame["0"] == "").any():
            return None
        if len(data) > MAX_FIELD and any(int(str(c.str.len_bytes().max())) > MAX_FIELD for c in frame):
            return None
        frame.columns = list(self.columns)
        return Table(frame, np.arange(first_line, first_line + frame.height, dtype=np.int64))

    def _plain_quotes(self, data: bytes, first_line: int) -> Table | None:
        """All lines in one go, where each of them is one whole record."""
        if not self.quoting or b"\0" in data or len(data) > 4 * BLOCK or _odd_lines(data):
            return None
        try:
            reader = csv.reader(
                io.StringIO(data.decode("utf-8"), newline=""), delimiter=self.separator, strict=True
            )
            width, number = len(self.columns), 0
            cells: list[str] = []
            for number, row in enumerate(reader, start=1):
                if len(row) != width or reader.line_num != number:
                    return None
                cells += row
        except (csv.Error, UnicodeDecodeError):
            return None
        if len(data) > MAX_FIELD and max(map(len, cells), default=0) > MAX_FIELD:
            return None
        return Table(self._frame(cells), np.arange(first_line, first_line + number, dtype=np.int64))

    def _frame(self, cells: list[str]) -> pl.DataFrame:
        width = len(self.columns)
        columns = [pl.Series(str(at), cells[at::width], dtype=pl.String) for at in range(width)]
        frame = pl.DataFrame(columns)
        frame.columns = list(self.columns)
        return frame

    def _careful(self, data: bytes, first_line: int, final: bool) -> Table:
        texts = _decoded(data)
        width, separator = len(self.columns), self.separator
        cells: list[str] = []
        numbers: list[int] = []
        refused: list[tuple[int, str, str]] = []
        feed = _Feed(texts)
        reader = csv.reader(feed, delimiter=separator, strict=True)
        at, rest = 0, b""
        while at < len(texts):
            number, text = first_line + at, texts[at]
            at += 1
            if isinstance(text, bytes):
                shown = text.decode("utf-8", "backslashreplace")
                refused.append((number, "is not UTF-8: save the file as UTF-8", shown))
                continue
            text = text.removesuffix("\r")
            if not text:
                continue
            used = 0
            row: list[str] | None = None
            if "\0" in text:
                reason = "holds NUL bytes"
            elif not self.quoting or '"' not in text:
                row, reason = text.split(separator), ""
            else:
                row, used, reason = self._quoted(feed, reader, at - 1)
                if row is None and used < 0 and not final:
                    rest = data[_offset(data, at - 1) :]
                    break
            if row is not None and len(row) != width:
                reason = f"has {_fields(len(row))}, the header has {width}"
                row = None
            if row and len(text) > MAX_FIELD and max(map(len, row)) > MAX_FIELD:
                row, reason = None, f"has a field of more than {MAX_FIELD >> 20} MiB"
            if row is None:
                refused.append((number, reason, text))
                continue
            cells += row
            numbers.append(number)
            at += max(used - 1, 0)
        return Table(self._frame(cells), np.array(numbers, dtype=np.int64), refused, rest)

    def _quoted(self, feed: _Feed, reader: Iterator[list[str]], at: int) -> tuple[list[str] | None, int, str]:
        """The record that begins at a line: (fields, lines, reason); -1 lines if the block ends in it."""
        feed.start(at)
        try:
            row = next(reader)
        except StopIteration:
            return None, 0, "is no row"
        except csv.Error:
            if feed.ended:
                return None, -1, "opens a quote that nothing closes"
            return None, 0, "has a quote that is not closed, or text after a closing quote"
        used = feed.at - at
        if used > 1 and (len(row) != len(self.columns) or any("\0" in cell for cell in row)):
            return None, 0, "opens a quote that nothing closes"
        return row, used, ""


class _Feed:
    """Lines handed to a ``csv`` reader, from any line on, up to the largest field."""

    def __init__(self, texts: list[str | bytes]) -> None:
        self.texts = texts
        self.start(0)

    def start(self, at: int) -> None:
        self.at, self.size, self.ended = at, 0, False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.at >= len(self.texts):
            self.ended = True
            raise StopIteration
        text = self.texts[self.at]
        if isinstance(text, bytes) or self.size > MAX_FIELD:
            raise StopIteration
        self.at += 1
        self.size += len(text)
        return text.removesuffix("\r") + "\n"


def _decoded(data: bytes) -> list[str | bytes]:
    """Lines as text, as bytes where they are no UTF-8."""
    lines: list[str | bytes]
    try:
        lines = [*data.decode("utf-8").split("\n")]
    except UnicodeDecodeError:
        lines = []
        for line in data.split(b"\n"):
            try:
                lines.append(line.decode("utf-8"))
            except UnicodeDecodeError:
                lines.append(line.removesuffix(b"\r"))
    if not lines[-1]:
        lines.pop()
    return lines


def _offset(data: bytes, line: int) -> int:
    at = 0
    for _ in range(line):
        at = data.index(b"\n", at) + 1
    return at


def _fields(count: int) -> str:
    return f"{count} field" if count == 1 else f"{count} fields"
