"""Text files whose records are runs of lines (vCard), unfolded, as rows of one column."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from graphprofile.errors import SourceError
from graphprofile.ingest.files import Opened
from graphprofile.ingest.text import MAX_FIELD, MAX_LINE, SHOWN, Block, blocks
from graphprofile.records import Kind, RawChunk, Rejection, Runs, SourceFile

RECORD = "record"
CHUNK_BYTES = 16 << 20
LOOKED_AT = 1 << 16
"""Bytes of the first block in which a record must begin."""


def run_chunks(
    opened: Opened, source: SourceFile, kind: Kind, name: str, chunk_rows: int, block_size: int
) -> Iterator[RawChunk]:
    """The records of a file; their line is the one that they begin with.

    A line that begins with a blank goes on with the one before it, byte for byte: a fold may lie within a character
    (RFC 6350, section 3.2). Lines between two records are records too, one each, and so is one that does not end:
    what is wrong with them is for the loader to say.

    Raises:
        SourceError: No record begins near the file's start.
    """
    assert source.runs is not None
    runs = _Runs(source.runs, kind, name)
    first = True
    given = False
    for block in blocks(opened.stream, source.encoding, block_size):
        if first:
            _look(block, source.runs, name)
            first = False
        for _ in runs.add(block):
            if runs.full(chunk_rows):
                yield runs.chunk(opened.raw.tell(), opened.size)
                given = True
    runs.end()
    if runs.records or runs.rejected or not given:
        yield runs.chunk(opened.raw.tell(), opened.size)


def _look(block: Block, marks: Runs, name: str) -> None:
    begins = marks.begins.encode()
    head = block.data[:LOOKED_AT]
    if block.damage is None and not re.search(rb"(?im)^\s*" + re.escape(begins) + rb"\s*$", head):
        start = head.strip().partition(b"\n")[0][:60].decode("utf-8", "replace")
        raise SourceError(
            f"{name}: no line of its beginning is {marks.begins}; the first is {start!r}.",
            "Rename the file to what it is.",
        )


class _Runs:
    """Lines gathered into records.

    Attributes:
        records: Texts of the chunk that is being made.
        rejected: Records of it that cannot be read.
    """

    def __init__(self, marks: Runs, kind: Kind, name: str) -> None:
        self.begins, self.ends = marks.begins.lower().encode(), marks.ends.lower().encode()
        self.left_out = re.compile(marks.leaves_out.encode()) if marks.leaves_out else None
        self.nesting = re.compile(marks.nests.encode()) if marks.nests else None
        self.kind, self.name = kind, name
        self._begin_chunk()
        self._open = False
        self._begin_record(0)

    def _begin_chunk(self) -> None:
        self.records: list[str] = []
        self.lines: list[int] = []
        self.rejected: list[Rejection] = []
        self._bytes = 0

    def _begin_record(self, line: int) -> None:
        self._line, self._depth = line, 0
        self._parts: list[bytes] = []
        self._size = self._last = 0
        self._leaving = False
        self._wrong: str | None = None

    def full(self, rows: int) -> bool:
        """Whether the chunk is large enough."""
        return len(self.records) >= rows or len(self.rejected) >= rows or self._bytes >= CHUNK_BYTES

    def add(self, block: Block) -> Iterator[None]:
        """Take lines in; stops after each record."""
        if block.damage is not None:
            self.end()
            self._refuse(block.first_line, block.reason, block.data, "file")
            return
        if block.too_long:
            yield from self._add_long(block)
            return
        number = block.first_line - 1
        for raw in block.data.split(b"\n"):
            number += 1
            line = raw[:-1] if raw.endswith(b"\r") else raw
            if self._open:
                mark = line.strip().lower() if len(line) < 100 else b""
                if mark == self.ends:
                    self._append(line)
                    self._depth -= 1
                    if not self._depth:
                        self.end()
                        yield
                elif mark == self.begins and not self._nests():
                    # The record before it has no end.
                    self.end()
                    yield
                    self._start(line, number)
                else:
                    self._depth += mark == self.begins
                    self._go_on(line)
            elif line.strip():
                if line.strip().lower() == self.begins:
                    self._start(line, number)
                else:
                    self._begin_record(number)
                    self._append(line)
                    self.end()
                    yield

    def _add_long(self, block: Block) -> Iterator[None]:
        """A line of which only the start was read."""
        goes_on = block.data[:1] in (b" ", b"\t") or b":" not in block.data
        if self._open and (self._leaving if goes_on else self._is_left_out(block.data)):
            self._leaving = True
        elif self._open:
            self._wrong = self._wrong or f"has a line longer than {MAX_LINE >> 20} MiB: {block.first_line}"
            self._go_on(block.data)
        else:
            self._refuse(
                block.first_line, f"is longer than {MAX_LINE >> 20} MiB; its start is kept here", block.data
            )
            yield

    def _start(self, line: bytes, number: int) -> None:
        self._begin_record(number)
        self._open, self._depth = True, 1
        self._append(line)

    def _go_on(self, line: bytes) -> None:
        if line[:1] in (b" ", b"\t"):
            if not self._leaving:
                self._last += len(line)
                self._keep(line[1:], self._last)
            return
        # Some writers break a picture without a blank; no line of base64 holds a colon.
        if not line.strip() or (self._leaving and b":" not in line):
            return
        self._leaving = self._is_left_out(line)
        if not self._leaving:
            self._append(line)

    def _is_left_out(self, line: bytes) -> bool:
        return self.left_out is not None and self.left_out.match(line) is not None

    def _nests(self) -> bool:
        return self.nesting is not None and self.nesting.match(self._parts[-1].lstrip(b"\n")) is not None

    def _append(self, line: bytes) -> None:
        self._last = len(line)
        self._leaving = False
        self._keep(b"\n" + line if self._parts else line, self._last)

    def _keep(self, part: bytes, length: int) -> None:
        self._size += len(part)
        if length > MAX_FIELD:
            self._wrong = self._wrong or f"has a field of more than {MAX_FIELD >> 20} MiB"
        elif self._size > MAX_LINE:
            self._wrong = self._wrong or f"is longer than {MAX_LINE >> 20} MiB"
        if self._wrong is None or not self._parts:
            self._parts.append(part)

    def end(self) -> None:
        """The record that is open ends here."""
        if not self._parts:
            return
        data = b"".join(self._parts)
        if self._wrong is None:
            try:
                text = data.decode("utf-8")
                if "\0" in text:
                    self._wrong = "holds NUL bytes"
            except UnicodeDecodeError as error:
                within = data.count(b"\n", 0, error.start)
                bad = data[: error.start].rpartition(b"\n")[2] + data[error.start :].partition(b"\n")[0]
                shown = bad[:40].decode("utf-8", "backslashreplace")
                self._wrong = f"is not UTF-8 in its field {within + 1}, {shown!r}: save the file as UTF-8"
        if self._wrong is None:
            self.records.append(text)
            self.lines.append(self._line)
            self._bytes += len(data)
        else:
            self._refuse(self._line, self._wrong, data)
        self._open = False
        self._begin_record(0)

    def _refuse(self, line: int, reason: str, data: bytes, field: str = "row") -> None:
        kept = data if len(data) <= MAX_FIELD else data[:SHOWN]
        text = kept.decode("utf-8", "backslashreplace")
        self.rejected.append(Rejection(self.name, line, field, reason, text, self.kind, (RECORD,)))

    def chunk(self, position: int, size: int) -> RawChunk:
        """The records gathered; the next chunk begins."""
        frame = pl.DataFrame({RECORD: self.records}, schema={RECORD: pl.String})
        chunk = RawChunk(self.kind, self.name, frame, self.lines, self.rejected, position, size)
        self._begin_chunk()
        return chunk
