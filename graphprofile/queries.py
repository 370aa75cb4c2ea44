"""The Cypher files under ``cypher/``: found, checked and handed out by name.

A file holds one statement below a ``//`` header: one sentence on what it does, then ``Parameters:`` and
``Columns:``. Values are parameters, always. The one thing that cannot be a parameter is a relationship type;
a file that works on events writes the word ``EVENT_TYPES`` in its place, and :func:`text` puts the checked,
back-ticked types of the declared vocabulary there. A file that copies whatever a graph holds, users' own labels
and types included, writes ``QUOTED_NAMES``, in whose place names of any form come, quoted.

A file that is listed for people to choose from says three things more, a line each::

    Group: content                          the heading it stands under
    Events: all                             which types stand for EVENT_TYPES; without it those of positive weight
    Chart: bar, x tag, y growth             how its rows are best drawn, and which column goes on which axis
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from graphprofile.errors import ConfigError, UsageError

PLACEHOLDER = re.compile(r"\bEVENT_TYPES\b")
NAMES = re.compile(r"\bQUOTED_NAMES\b")
RELATIONSHIP_TYPE = re.compile(r"[A-Z][A-Z0-9_]*\Z")
# A back-slash may begin a Unicode escape, which an engine resolves before it looks for back-ticks.
_UNQUOTABLE = re.compile(r"[\x00-\x1f\x7f\\]")
_HEADER_SECTION = re.compile(r"(Parameters|Columns|Group|Events|Chart):\s*(.*)\Z")
_ENTRY = re.compile(r"(?P<name>\w+)\s*(?:\((?P<type>[^)]*)\))?\s*(?::\s*(?P<text>.*))?\Z")

CHARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "bar": (("x", "y"), ("series",)),
    "line": (("x", "y"), ("series",)),
    "scatter": (("x", "y"), ("label", "size", "series")),
    "heatmap": (("x", "y", "value"), ()),
    "funnel": (("stage", "value"), ()),
    "treemap": (("label", "parent", "value"), ()),
    "graph": (("source", "target"), ("value",)),
    "paths": (("path",), ("value",)),
    "table": ((), ()),
}
"""Kinds of chart: the axes that a column must be named for, and those that may have one."""


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
class Chart:
    """How the rows of an answer are best drawn.

    Attributes:
        type: One of :data:`CHARTS`.
        axes: Column by axis.
    """

    type: str
    axes: Mapping[str, str]


@dataclass(frozen=True)
class Query:
    """One Cypher file.

    Attributes:
        name: Path below ``cypher/`` without ending, e.g. ``tags/list_due``.
        summary: The first sentence of the header.
        parameters: Declared parameters.
        columns: Declared result columns.
        statement: The statement, ``EVENT_TYPES`` not yet replaced.
        group: The heading it is listed under; empty where it is not listed.
        every_event_type: Whether all event types count, and not those of positive weight alone.
        chart: How its rows are best drawn, where the header says it.
    """

    name: str
    summary: str
    parameters: tuple[Field, ...]
    columns: tuple[Field, ...]
    statement: str
    group: str = ""
    every_event_type: bool = False
    chart: Chart | None = None

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
        ConfigError: The header is missing or cannot be read, or the statement uses a parameter that the header
            doesn't declare (or the other way round).
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
    said: dict[str, str] = {}
    current: str | None = None
    for line in header:
        section = _HEADER_SECTION.match(line)
        if section:
            current, line = section.group(1), section.group(2)
            if current not in sections:
                said[current] = line
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
    if said.get("Events", "all") != "all":
        raise ConfigError(f"cypher/{name}.cypher: Events is {said['Events']!r}; say all, or nothing.")
    return Query(
        name,
        " ".join(part for part in summary if part),
        tuple(sections["Parameters"]),
        tuple(sections["Columns"]),
        statement,
        said.get("Group", ""),
        "Events" in said,
        parse_chart(name, said["Chart"], sections["Columns"]) if "Chart" in said else None,
    )


def parse_chart(name: str, text: str, columns: Sequence[Field]) -> Chart:
    """Read how rows are best drawn: ``bar, x tag, y growth``.

    Args:
        name: Of the query.
        text: A type of :data:`CHARTS`, then each axis with its column.
        columns: Declared columns.

    Raises:
        ConfigError: No such type, an axis that is missing or unknown, or a column that is not declared.
    """
    kind, *rest = (part.strip() for part in text.split(","))
    needed, allowed = CHARTS.get(kind, ((), ()))
    axes = {axis: column.strip() for axis, _, column in (part.partition(" ") for part in rest)}
    wrong = None
    if kind not in CHARTS:
        wrong = f"{kind!r} is none of {', '.join(CHARTS)}"
    elif set(needed) - set(axes) or set(axes) - {*needed, *allowed} or len(axes) < len(rest):
        wrong = f"a {kind} has {', '.join(needed) or 'no axis'}" + (
            f" and may have {', '.join(allowed)}" if allowed else ""
        )
    elif missing := set(axes.values()) - {field.name for field in columns}:
        wrong = f"there is no column {min(missing)!r}"
    if wrong:
        raise ConfigError(f"{name}: cannot read the chart {text!r}: {wrong}.")
    return Chart(kind, axes)


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
