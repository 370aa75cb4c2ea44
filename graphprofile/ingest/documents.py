"""The rows of JSON documents that hold them in an array, such as ``{"items": [...]}``, in bounded memory.

A file holds one document or several, one after the other: the pages of a service, each as it came. A document without
such an array is a row itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from graphprofile.ingest.arrays import CUT, Element, Elements
from graphprofile.ingest.files import DAMAGED, Opened
from graphprofile.ingest.json_tokens import TOKEN, Walk


class Documents(Elements):
    """Splits documents into the elements of their arrays.

    Args:
        opened: The file.
        encoding: Of its text.
        block_size: Bytes read at once.
        inside: Paths of the arrays, such as ``items`` or ``first.items``.
    """

    def __init__(self, opened: Opened, encoding: str, block_size: int, inside: Sequence[str]) -> None:
        super().__init__(opened, encoding, block_size)
        self.inside = inside

    def read(self) -> Iterator[Element]:
        """The elements, in order."""
        while self.damage is None and self._another():
            yield from self._lines()
            if self.rest.lstrip():
                yield from self._document()

    def _another(self) -> bool:
        """Whether there is more than blanks."""
        while not self.rest.strip():
            try:
                self.rest = next(self.parts, b"")
            except DAMAGED:
                self.damage = CUT
                return False
            if not self.rest:
                return False
        return True

    def _lines(self) -> Iterator[Element]:
        """The documents that have a line of their own, up to the first one that has not."""
        text, start = self.rest, 0
        while (end := text.find(b"\n", start)) >= 0:
            line = text[start:end].strip()
            if line:
                try:
                    document = orjson.loads(line)
                except orjson.JSONDecodeError:
                    if line.startswith(b"{"):
                        break
                    yield line, None, len(line)
                else:
                    rows = self._rows(document)
                    yield from ((None, row, len(line) // max(len(rows), 1)) for row in rows)
            start = end + 1
        self.rest = text[start:]

    def _rows(self, document: Any) -> list[Any]:
        """What a document holds; itself where it holds no rows."""
        arrays = [found for path in self.inside if isinstance(found := _at(document, path), list)]
        return [row for array in arrays for row in array] if arrays else [document]

    def _document(self) -> Iterator[Element]:
        """One document that is large or spread over lines."""
        walk, at, found_rows = Walk(self.inside), 0, False
        while True:
            brought = None
            for found in TOKEN.finditer(self.rest, at):
                if found[0] == b'"':
                    break
                at = found.end()
                brought = walk.step(found[0])
                if brought is not None:
                    break
            if brought == "array":
                found_rows, self.rest, at = True, self.rest[at:], 0
                yield from self.array()
                if self.damage is not None:
                    return
            elif brought == "end":
                text, self.rest = self.rest[:at], self.rest[at:]
                if not found_rows:
                    yield text.strip(), None, at
                return
            else:
                if found_rows:
                    self.rest, at = self.rest[at:], 0
                if not self.more():
                    return


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document
