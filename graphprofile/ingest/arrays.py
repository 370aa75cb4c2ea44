"""The objects of one JSON array, piece by piece in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import orjson

from graphprofile.ingest.files import DAMAGED, Opened
from graphprofile.ingest.json_tokens import COMMA, END, OPENING, QUOTE, TOKEN
from graphprofile.ingest.rows import Rows
from graphprofile.ingest.text import MAX_LINE, utf8_parts
from graphprofile.ingest.uncollected import uncollected
from graphprofile.records import Kind, RawChunk

SHOWN = 2_000
CUT = "the array is cut or damaged here: all before it was read; get the file again"

_BETWEEN = re.compile(rb"\}(\s*,)\s*\{")
_TRIES = 8

Element = tuple[bytes | None, Any, int]
"""Text of an element, its value where the text is None, and its size in bytes."""


def array_chunks(
    opened: Opened, elements: Elements, kind: Kind, name: str, chunk_rows: int
) -> Iterator[RawChunk]:
    """Rows of a file that holds its objects in a JSON array; their ``lines`` count the elements from 1."""
    rows = Rows(kind, name, chunk_rows)
    numbers = count(1)
    numbered = zip(elements.read(), numbers, strict=False)
    given = False
    while _fill(rows, numbered):
        yield rows.chunk(opened.raw.tell(), opened.size)
        given = True
    if elements.damage is not None:
        rest = elements.rest[:SHOWN].decode("utf-8", "backslashreplace")
        rows.refuse(next(numbers), elements.damage, rest, "file")
    if rows.rows or rows.rejected or not given:
        yield rows.chunk(opened.raw.tell(), opened.size)


def _fill(rows: Rows, numbered: Iterator[tuple[Element, int]]) -> bool:
    """Whether the chunk is full; the elements have ended where it is not."""
    with uncollected():
        for (text, value, size), number in numbered:
            try:
                rows.add_object(value if text is None else orjson.loads(text), number, size)
            except orjson.JSONDecodeError as error:
                shown = (text or b"")[:SHOWN].decode("utf-8", "backslashreplace")
                rows.refuse(number, f"is no JSON: {error}", shown)
            if rows.full:
                return True
    return False


class Elements:
    """Splits an array into its elements.

    Attributes:
        rest: What is left of the text where it is damaged.
        damage: What is wrong with the array as a whole, known when all of it was read.
    """

    def __init__(self, opened: Opened, encoding: str, block_size: int) -> None:
        self.parts = utf8_parts(opened.stream, encoding, block_size)
        self.rest = b""
        self.ended = False
        self.damage: str | None = None

    def read(self) -> Iterator[Element]:
        """The elements, in order."""
        self.rest = next(self.parts, b"").lstrip().removeprefix(b"[")
        yield from self.array()
        if self.damage is None and (self.rest.strip() or any(part.strip() for part in self.parts)):
            self.damage = "follows the end of the array: nothing may"

    def array(self) -> Iterator[Element]:
        """The elements of an array whose bracket was read."""
        self.ended = False
        while True:
            yield from self._whole()
            yield from self._tokens()
            if self.ended or not self.more():
                return

    def more(self) -> bool:
        """Whether there is more text, which is then in ``rest``; ``damage`` says why not."""
        if len(self.rest) > MAX_LINE:
            self.damage = "is longer than 16 MiB, or does not end; its start is kept here"
            return False
        try:
            part = next(self.parts, b"")
        except DAMAGED:
            part = b""
        if not part:
            self.damage = CUT
            return False
        self.rest += part
        return True

    def _whole(self) -> Iterator[Element]:
        """All elements up to one of the last commas at once, if they are in order."""
        ends = [found.start(1) for found in _BETWEEN.finditer(self.rest)][-_TRIES:]
        for end in reversed(ends):
            try:
                values = orjson.loads(b"[" + self.rest[:end] + b"]")
            except orjson.JSONDecodeError:
                continue
            size = end // max(len(values), 1)
            self.rest = self.rest[self.rest.index(b",", end) + 1 :]
            yield from ((None, value, size) for value in values)
            return

    def _tokens(self) -> Iterator[Element]:
        """One element after the other."""
        text, start, depth = self.rest, 0, 0
        for found in TOKEN.finditer(text):
            sign = text[found.start()]
            if sign == QUOTE:
                if found.end() - found.start() == 1:
                    break
            elif sign in OPENING:
                depth += 1
            elif sign == COMMA:
                if not depth:
                    element = text[start : found.start()].strip()
                    yield element, None, len(element)
                    start = found.end()
            elif depth:
                depth -= 1
            elif sign == END:
                last = text[start : found.start()].strip()
                start, self.ended = found.end(), True
                if last:
                    yield last, None, len(last)
                break
        self.rest = text[start:]
