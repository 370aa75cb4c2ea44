"""The Cypher files under ``cypher/``: found, checked and handed out by name.

A file holds one statement below a ``//`` header: one sentence on what it does, then ``Parameters:`` and
``Columns:``. Values are parameters, always. The one thing that cannot be a parameter is a relationship type;
a file that works on events writes the word ``EVENT_TYPES`` in its place, and :func:`text` puts the checked,
back-ticked types of the declared vocabulary there. A file that copies whatever a graph holds, users' own labels
and types included, writes ``QUOTED_NAMES``, in whose place names of any form come, quoted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from graphprofile.errors import ConfigError, UsageError

PLACEHOLDER = re.compile(r"\bEVENT_TYPES\b")
NAMES = re.compile(r"\bQUOTED_NAMES\b")
RELATIONSHIP_TYPE = re.compile(r"[A-Z][A-Z0-9_]*\Z")
# A back-slash may begin a Unicode escape, which an engine resolves before it looks for back-ticks.
_UNQUOTABLE = re.compile(r"[\x00-\x1f\x7f\\]")
_HEADER_SECTION = re.compile(r"(Parameters|Columns|Title|Chart):\s*(.*)\Z")
_ENTRY = re.compile(r"(?P<name>\w+)\s*(?:\((?P<type>[^)]*)\))?\s*(?::\s*(?P<text>.*))?\Z")


@dataclass(frozen=True)
class Field:
    """One parameter or column as the header of a file declares it.

    Attributes:
        name: Name without ``$``.
        type: What stands in brackets, e.g. ``int, days, default 30``.
        text: One phrase on its meaning.
    """

    name: str
    type: str
    text: str

    @property
    def default(self) -> str | None:
        """The declared default as text, None where the parameter must be given."""
        found = re.search(r"default\s+(.+)", self.type)
        return found.group(1).strip() if found else None


@dataclass(frozen=True)
class Query:
    """One Cypher file.

    Attributes:
        name: Path below ``cypher/`` without ending, e.g. ``tags/list_due``.
        summary: The first sentence of the header.
        parameters: Declared parameters.
        columns: Declared result columns.
        statement: The statement, ``EVENT_TYPES`` not yet replaced.
    """

    name: str
    summary: str
    parameters: tuple[Field, ...]
    columns: tuple[Field, ...]
    statement: str

    @property
    def takes_event_types(self) -> bool:
        """Whether the statement has the ``EVENT_TYPES`` placeholder."""
        return PLACEHOLDER.search(self.statement) is not None

    @property
    def takes_names(self) -> bool:
        """Whether the statement has the ``QUOTED_NAMES`` placeholder."""
        return NAMES.search(self.statement) is not None


def parse(name: str, source: str) -> Query:
    """Read one file's header and statement.

    Raises:
        ConfigError: The header is missing, or the statement uses a parameter that the header doesn't declare
            (or the other way round).
    """
    header: list[str] = []
    body: list[str] = []
    for line in source.splitlines():
        if not body and line.startswith("//"):
            header.append(line[2:].strip())
        elif line.strip() or body:
            body.append(line)
    if not header or not header[0]:
        raise ConfigError(f"cypher/{name}.cypher has no header.", "Begin the file with // and one sentence.")
    summary: list[str] = []
    sections: dict[str, list[Field]] = {"Parameters": [], "Columns": []}
    current: str | None = None
    for line in header:
        section = _HEADER_SECTION.match(line)
        if section:
            current, line = section.group(1), section.group(2)
            if not line:
                continue
        if current is None:
            summary.append(line)
        elif current in sections and line and line != "none":
            entry = _ENTRY.match(line)
            if entry is None:
                raise ConfigError(f"cypher/{name}.cypher: cannot read the header line {line!r}.")
            sections[current].append(
                Field(entry["name"], (entry["type"] or "").strip(), (entry["text"] or "").strip())
            )
    statement = "\n".join(body).strip().rstrip(";")
    used = set(re.findall(r"\$(\w+)", re.sub(r"//[^\n]*", "", statement)))
    declared = {field.name for field in sections["Parameters"]}
    if used != declared:
        wrong = ", ".join(sorted(used ^ declared))
        raise ConfigError(f"cypher/{name}.cypher: parameters used and declared differ: {wrong}.")
    return Query(
        name,
        " ".join(part for part in summary if part),
        tuple(sections["Parameters"]),
        tuple(sections["Columns"]),
        statement,
    )


@cache
def load(name: str) -> Query:
    """The query of ``cypher/{name}.cypher``.

    Raises:
        UsageError: No such file.
        ConfigError: The file breaks the rules of the header.
    """
    area, _, verb = name.partition("/")
    path = files("graphprofile.cypher") / area / f"{verb}.cypher"
    if not re.fullmatch(r"[a-z_]+/[a-z0-9_]+", name) or not path.is_file():
        raise UsageError(f"There is no query {name!r}.", "See the files under cypher/.")
    return parse(name, path.read_text("utf-8"))


@cache
def text(name: str, event_types: tuple[str, ...] = (), names: tuple[str, ...] = ()) -> str:
    """The statement of a query, ready to be run.

    Args:
        name: ``area/verb_noun``.
        event_types: Relationship types to stand for ``EVENT_TYPES``; joined by ``|``.
        names: Labels, or one relationship type, to stand for ``QUOTED_NAMES``; joined by ``:``.

    Raises:
        UsageError: No such query, types or names missing where the file asks for them, a type that is not
            ``[A-Z][A-Z0-9_]*``, or a name that cannot be quoted.
    """
    query = load(name)
    if query.takes_names:
        if not names:
            raise UsageError(f"The query {name!r} needs names.")
        quoted = ":".join(map(quote_name, names))
        return NAMES.sub(lambda _: quoted, query.statement)
    if not query.takes_event_types:
        return query.statement
    if not event_types:
        raise UsageError(f"The query {name!r} needs event types.")
    return PLACEHOLDER.sub(quote_types(event_types), query.statement)


def quote_types(event_types: Sequence[str]) -> str:
    """Relationship types in back-ticks joined by ``|``: the only text ever put into a statement.

    Raises:
        UsageError: A name that is not ``[A-Z][A-Z0-9_]*``.
    """
    for name in event_types:
        if not RELATIONSHIP_TYPE.match(name):
            raise UsageError(
                f"{name!r} is no relationship type.", "Use capital letters, digits and underscores."
            )
    return "|".join(f"`{name}`" for name in event_types)


def quote_name(name: str) -> str:
    """A label or relationship type of any form in back-ticks.

    Raises:
        UsageError: It is empty, or has control characters or a back-slash.
    """
    if not name or _UNQUOTABLE.search(name):
        raise UsageError(
            f"{name!r} cannot be written in a statement.", "Rename that label or relationship type."
        )
    return "`" + name.replace("`", "``") + "`"


def names(area: str = "") -> list[str]:
    """Names of all query files, sorted; of one area where it is given."""
    root = files("graphprofile.cypher")
    found = []
    for folder in root.iterdir():
        if folder.is_dir() and (not area or folder.name == area):
            found += [
                f"{folder.name}/{entry.name.removesuffix('.cypher')}"
                for entry in folder.iterdir()
                if entry.name.endswith(".cypher")
            ]
    return sorted(found)
