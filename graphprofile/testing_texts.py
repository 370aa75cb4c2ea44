"""Files of the test kit's samples taken apart, so that its tests can move, damage and cut what they are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

Span = tuple[int, int, bool]
"""Where a row begins and ends, and whether it is the element of an array."""


@dataclass(frozen=True)
class Text:
    """One file of text: stretches that may change places, and what stands around them.

    Attributes:
        path: The file.
        stretches: Rows, or rows that belong together.
        around: What stands before each stretch, and behind the last one: one more than there are stretches.
        joints: What parts each stretch from a row that is put before it, or behind the last one.
    """

    path: Path
    stretches: Sequence[bytes]
    around: Sequence[bytes]
    joints: Sequence[bytes]

    @classmethod
    def of_lines(cls, path: Path, head: bytes, stretches: Sequence[bytes]) -> Text:
        """Lines below a header, if there is one."""
        ended = [one if one.endswith(b"\n") else one + b"\n" for one in stretches]
        return cls(path, ended, [head, *([b""] * len(ended))], [b""] * len(ended))

    @classmethod
    def of_json(cls, path: Path, content: bytes, inside: Iterable[str]) -> Text:
        """An array, or documents that hold their rows inside; its stretches are rows.

        Args:
            path: The file.
            content: What it holds, UTF-8.
            inside: Paths of the arrays, as a :class:`graphprofile.records.SourceFile` has them.
        """
        text = content.decode("utf-8")
        spans = list(_Rows(text, inside).spans())
        ends = [0, *(end for _, end, _ in spans)]
        starts = [*(start for start, _, _ in spans), len(text)]
        return cls(
            path,
            [text[start:end].encode() for start, end, _ in spans],
            [text[end:start].encode() for end, start in zip(ends, starts, strict=True)],
            [b"," if element else b"\n" for _, _, element in spans],
        )

    def joined(self, stretches: Sequence[bytes]) -> bytes:
        """The file with as many other stretches in the places of its own."""
        pairs = zip(self.around, [*stretches, b""], strict=True)
        return b"".join(part for pair in pairs for part in pair)

    def with_row(self, at: int, row: bytes) -> bytes:
        """The file with one more row before a stretch; behind the last one where ``at`` is their number."""
        changed = list(self.stretches)
        if at < len(changed):
            changed[at] = row + self.joints[at] + changed[at]
        else:
            changed[-1] += self.joints[-1] + row
        return self.joined(changed)

    def first(self, count: int) -> bytes:
        """The file with its first stretches alone, as whole as it was."""
        parts = []
        for at, before in enumerate(self.around):
            if at < count or before.strip() not in (b"", b","):
                parts.append(before)
            if at < count:
                parts.append(self.stretches[at])
        return b"".join(parts)

    def cuts(self, number: int) -> Iterator[tuple[int, int]]:
        """Places to cut the whole file at, about so many, and how many stretches lie before each of them."""
        ends, end = [], len(self.around[0])
        for stretch, behind in zip(self.stretches, self.around[1:], strict=True):
            end += len(stretch) + len(behind)
            ends.append(end)
        for cut in range(len(self.around[0]) + 1, end, max(1, end // number)):
            yield cut, sum(end <= cut for end in ends)


class _Rows:
    """Finds the rows in JSON text.

    Args:
        text: An array, or documents one after the other.
        inside: Paths of the arrays in the documents.
    """

    def __init__(self, text: str, inside: Iterable[str]) -> None:
        self.text, self.inside = text, frozenset(inside)
        self._decode = json.JSONDecoder().raw_decode

    def spans(self) -> Iterator[Span]:
        """The rows, in order; a document without such an array is a row itself."""
        at = self._next(0)
        while at < len(self.text):
            end = self._decode(self.text, at)[1]
            if self.text[at] == "[":
                yield from self._elements(at)
            else:
                found = list(self._within(at, ()))
                yield from found or [(at, end, False)]
            at = self._next(end)

    def _within(self, at: int, path: tuple[str, ...]) -> Iterator[Span]:
        """Rows in an object that begins here."""
        at = self._next(at + 1)
        while self.text[at] != "}":
            name, at = self._decode(self.text, at)
            at = self._next(at, ":")
            here = (*path, name)
            if self.text[at] == "[" and ".".join(here) in self.inside:
                yield from self._elements(at)
            elif self.text[at] == "{" and any(one.startswith(".".join((*here, ""))) for one in self.inside):
                yield from self._within(at, here)
            at = self._next(self._decode(self.text, at)[1], ",")

    def _elements(self, at: int) -> Iterator[Span]:
        """Elements of an array that begins here."""
        at = self._next(at + 1)
        while self.text[at] != "]":
            end = self._decode(self.text, at)[1]
            yield at, end, True
            at = self._next(end, ",")

    def _next(self, at: int, sign: str = "") -> int:
        """The next place that is neither blank nor the sign."""
        while at < len(self.text) and (self.text[at].isspace() or self.text[at] == sign):
            at += 1
        return at
