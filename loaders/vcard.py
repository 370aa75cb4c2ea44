"""The line grammar of vCard 2.1, 3.0 and 4.0: a card as its properties.

Followed: RFC 6350 (4.0), RFC 2426 (3.0), and of the vCard 2.1 specification what cards of old telephones need:
quoted-printable text and parameters without a name.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator

BEGIN, END = "BEGIN:VCARD", "END:VCARD"
LEFT_OUT = r"(?i)(?:[\w-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)[;:]"
"""Lines that hold pictures, sounds and keys."""
NESTS = r"(?i)(?:[\w-]+\.)?AGENT\b[^:]*:\s*$"
"""The line of vCard 2.1 after which another card stands within this one."""

_NAME = re.compile(r"(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)$")
_QUOTED = re.compile(r'[^":]*(?:"[^"]*"[^":]*)*:')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SEPARATORS = {sign: re.compile(rf"((?:[^\\{sign}]|\\.)*)(?:{sign}|$)", re.DOTALL) for sign in ",;"}


class CardError(ValueError):
    """A card that cannot be used; the text is ``field: reason``."""


class Card:
    """The properties of one card, names in capitals, values as they are written.

    Attributes:
        properties: Name -> values, in the order of the card; a fax is no telephone.
    """

    def __init__(self) -> None:
        self.properties: dict[str, list[str]] = {}

    def first(self, name: str) -> str | None:
        """The first value of a property that is not empty, unescaped."""
        return next(iter(self.texts(name)), None)

    def texts(self, name: str) -> list[str]:
        """The values of a property, unescaped, without empty ones."""
        return [text for value in self.properties.get(name, ()) if (text := unescaped(value))]

    def parts(self, name: str, separator: str) -> list[str]:
        """The first value of a property, taken apart at separators that are not escaped."""
        value = next(iter(self.properties.get(name, ())), "")
        return split(value, separator)


def unescaped(value: str) -> str:
    """Text without its backslashes, trimmed."""
    if "\\" in value:
        value = _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
    return value.strip()


def split(value: str, separator: str) -> list[str]:
    """The parts of a value, unescaped; an escaped separator is a character like any other."""
    if "\\" not in value:
        return [part.strip() for part in value.split(separator)]
    found = _SEPARATORS[separator].findall(value)
    if found and not found[-1] and not value.endswith(separator):
        found.pop()
    return [unescaped(part) for part in found]


def read_card(text: str) -> Card:
    """A card of unfolded lines.

    Raises:
        CardError: It does not begin or end as a card does, or a line of it is no property.
    """
    lines = text.split("\n")
    if lines[0].strip().upper() != BEGIN:
        raise CardError(f"record: stands outside of {BEGIN} and {END}")
    if len(lines) < 2 or lines[-1].strip().upper() != END:
        raise CardError(f"record: does not end in {END}: it is cut, or another card begins within it")
    card, depth = Card(), 0
    for line in _joined(lines[1:-1]):
        mark = line.strip().upper() if len(line) < 20 else ""
        if mark == BEGIN:
            depth += 1
        elif mark == END:
            depth -= 1
        elif not depth and line.strip():
            name, parameters, value = _property(line)
            if name != "TEL" or "FAX" not in parameters:
                card.properties.setdefault(name, []).append(value)
    if depth:
        raise CardError(f"record: a card within it does not end in {END}")
    return card


def _joined(lines: list[str]) -> Iterator[str]:
    """Lines of which quoted-printable ones are whole: their softly broken ends go on without a blank."""
    rest = iter(lines)
    for line in rest:
        if line.endswith("=") and "QUOTED-PRINTABLE" in line.partition(":")[0].upper():
            while line.endswith("=") and (more := next(rest, None)) is not None:
                line = line[:-1] + more
        yield line


def _property(line: str) -> tuple[str, str, str]:
    """Name and parameters in capitals, and the value."""
    head, colon, value = line.partition(":")
    if '"' in head:
        # A parameter in quotes may hold a colon.
        found = _QUOTED.match(line)
        head, colon, value = (found[0][:-1], ":", line[found.end() :]) if found else (line, "", "")
    label, _, parameters = head.partition(";")
    name = _NAME.match(label.strip())
    if not colon or name is None:
        shown = line if len(line) <= 60 else f"{line[:59]}…"
        raise CardError(f"record: {shown!r} is no property of a card: NAME:value")
    parameters = parameters.upper()
    if "QUOTED-PRINTABLE" in parameters:
        value = _decoded(value, parameters, name[1])
    return name[1].upper(), parameters, value


def _decoded(value: str, parameters: str, name: str) -> str:
    charset = re.search(r"(?i)CHARSET=\"?([\w.:-]+)", parameters)
    try:
        return quopri.decodestring(value.encode("utf-8")).decode(charset[1] if charset else "utf-8")
    except (LookupError, UnicodeDecodeError) as error:
        raise CardError(
            f"{name.upper()}: its quoted-printable text is not {charset[1] if charset else 'UTF-8'}"
        ) from error
