"""JSON text by its tokens, where a document is too large to be parsed at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{},]', re.DOTALL)
"""Strings and the signs of structure; a quote alone begins a string whose end is not there yet."""
QUOTE, COMMA, OPENING, END = ord('"'), ord(","), b"[{", ord("]")

_OPEN_OBJECT, _OPEN_ARRAY = ord("{"), ord("[")


class Walk:
    """The way through one document, a token at a time.

    Args:
        inside: Paths of the arrays that are looked for, such as ``items`` or ``first.items``.
    """

    def __init__(self, inside: Iterable[str]) -> None:
        self._inside = frozenset(inside)
        # The key of each open object, None for an array.
        self._open: list[str | None] = []
        self._at_key = False

    def step(self, token: bytes) -> Literal["array", "end"] | None:
        """What a token brings: the beginning of an array that is looked for, or the end of the document.

        The end of such an array is not passed on: the walk goes on as after any other value.
        """
        sign = token[0]
        if sign == QUOTE:
            if self._at_key:
                self._open[-1] = token[1:-1].decode("utf-8", "replace")
                self._at_key = False
        elif sign == COMMA:
            self._at_key = bool(self._open) and self._open[-1] is not None
        elif sign == _OPEN_OBJECT:
            self._open.append("")
            self._at_key = True
        elif sign == _OPEN_ARRAY:
            if None not in self._open and ".".join(map(str, self._open)) in self._inside:
                return "array"
            self._open.append(None)
        else:
            self._at_key = False
            if self._open:
                self._open.pop()
            if not self._open:
                return "end"
        return None


def holds_rows(head: bytes, inside: Iterable[str]) -> bool:
    """Whether the beginning of a text is a document with such an array, or one that is spread over lines."""
    if head.partition(b"\n")[0].strip() == b"{":
        return True
    walk = Walk(inside)
    for found in TOKEN.finditer(head):
        brought = walk.step(found[0]) if found[0] != b'"' else "end"
        if brought is not None:
            return brought == "array"
    return False
