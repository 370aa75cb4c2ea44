"""A mapping file, read and checked before anything else is: errors name file, line, key and the nearest name."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from graphprofile.errors import ConfigError
from graphprofile.ingest.mapped.model import EVERY, Rules
from graphprofile.ingest.mapped.parts import Key, Scale, Value
from graphprofile.ingest.mapping import NEAR
from graphprofile.records import Kind

_HEADER = re.compile(r"\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+))*)\s*="""
)
_PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([\w-]+))\s*(?:\.|$)""")

_FORMS = {
    "bool_type": "should be true or false, without quotes",
    "bool_parsing": "should be true or false, without quotes",
    "list_type": "should be a list: put it into brackets, [...]",
    "dict_type": "should be a table: { key = value }",
    "model_type": "should be a table: { key = value }",
    "model_attributes_type": "should be a table: { key = value }",
    "string_type": "should be text: put it into quotes",
}
"""What a value must look like, as it is written in TOML."""

Path_ = tuple[str | int, ...]


def read_rules(path: Path) -> Rules:
    """A mapping file.

    Raises:
        ConfigError: It cannot be read, is no TOML, or says something that it cannot.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read: {error.strerror}.", "Check the path of --mapping."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8.", "Save the mapping as UTF-8.") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is no TOML: {error}.", _mend(str(error), text)) from error
    return check_rules(document, str(path), text)


def _mend(error: str, text: str) -> str:
    """What to do about a line that is no TOML."""
    found = re.search(r"line (\d+)", error)
    line = text.split("\n")[int(found[1]) - 1].strip() if found else ""
    value = line.partition("=")[2].partition("#")[0].strip()
    if value.lower() in ("yes", "no", "on", "off", "true", "false"):
        return f"In {line!r} say {'true' if value.lower() in ('yes', 'on', 'true') else 'false'}, in small letters."
    if re.fullmatch(r"[^\W\d][\w.:/ -]*", value):
        return f"In {line!r} put the text into quotes."
    return f"Mend {line!r}." if line else "Mend that line."


def check_rules(document: dict[str, Any], name: str, text: str = "") -> Rules:
    """A mapping as plain values, checked.

    Args:
        document: What the TOML holds.
        name: Of the file, for messages.
        text: The file, to find lines in.

    Raises:
        ConfigError: All that is wrong with it, a line each.
    """
    try:
        rules = Rules.model_validate(document)
    except ValidationError as error:
        lines = lines_of(text)
        wrong = [_told(dict(entry), document, name, lines) for entry in error.errors()]
        raise ConfigError(
            "\n".join(dict.fromkeys(wrong)), "docs/mapping.md says what may stand where."
        ) from error
    wrong = _unused(rules, name, lines_of(text))
    if wrong:
        raise ConfigError("\n".join(wrong), "docs/mapping.md says what may stand where.")
    return rules


def from_json(text: bytes) -> Rules:
    """What :meth:`Rules.to_json` wrote."""
    rules: Rules = Rules.model_validate_json(orjson.dumps(orjson.loads(text)))
    return rules


def lines_of(text: str) -> dict[Path_, int]:
    """Where each key of a TOML text stands: path of keys and list positions -> line from 1.

    ``tomllib`` tells no lines. Text over several lines may look like a key and gives a line too many, which does no
    harm: what is asked for are keys that are there.
    """
    found: dict[Path_, int] = {}
    table: Path_ = ()
    counts: dict[Path_, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            else:
                known = [path for path in counts if path == table[: len(path)]]
                if known:
                    longest = max(known, key=len)
                    table = (*longest, counts[longest], *table[len(longest) :])
            for end in range(1, len(table) + 1):
                found.setdefault(table[:end], number)
        elif key := _KEY.match(line):
            path = (*table, *_parts(key[1]))
            found.setdefault(path, number)
            for inner in re.finditer(r"""[{,]\s*("[^"]*"|'[^']*'|[\w-]+)\s*=""", line[key.end() :]):
                found.setdefault((*path, *_parts(inner[1])), number)
    return found


def _parts(dotted: str) -> Path_:
    return tuple(
        next(part for part in match.groups() if part is not None) for match in _PART.finditer(dotted)
    )


def _line(path: Path_, lines: dict[Path_, int]) -> int | None:
    """Of the key, or of the nearest table around it."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return None


def _told(entry: dict[str, Any], document: dict[str, Any], name: str, lines: dict[Path_, int]) -> str:
    """One finding of pydantic's in a person's words."""
    raw: Path_ = tuple(entry["loc"])
    path = _real(raw, document)
    if entry["type"] == "extra_forbidden":
        said = f"there is no such key{_close(str(path[-1]), _known(path[:-1]))}"
        if path[0] == "columns" and len(path) == 3 and isinstance(entry["input"], dict):
            said = f'a column whose name has a point needs quotes: [columns."{path[1]}.{path[2]}"]'
    elif entry["type"] == "missing":
        said = "is missing"
    else:
        message = _FORMS.get(entry["type"]) or str(entry["msg"]).removeprefix("Value error, ")
        said = message[0].lower() + message[1:] if message[:6] == "Input " else message
        said = said.replace("input should be", "should be")
    line = _line(path, lines)
    where = name if line is None else f"{name}, line {line}"
    return f"{where}: {'.'.join(map(str, path)) or 'the file'}: {said}."


def _real(raw: Path_, document: Any) -> Path_:
    """The path without the names that pydantic puts in for the members of a union."""
    path: list[str | int] = []
    at = document
    for number, part in enumerate(raw):
        last = number == len(raw) - 1
        if isinstance(at, dict) and (part in at or (last and isinstance(part, str) and not _is_member(part))):
            path.append(part)
            at = at.get(part)
        elif isinstance(at, list) and isinstance(part, int) and part < len(at):
            path.append(part)
            at = at[part]
    return tuple(path)


def _is_member(part: str) -> bool:
    return part in {"Value", "Key", "str", "int", "float", "bool"} or "[" in part


def _known(path: Path_) -> list[str]:
    """Keys that may stand in the table at a path."""
    at: Any = Rules
    for part in path:
        if isinstance(part, int):
            continue
        field = at.model_fields.get(part) if isinstance(at, type) and issubclass(at, BaseModel) else None
        if field is not None:
            at = _inner(field.annotation)
        # Below a dictionary the next name is the user's own.
    known = list(at.model_fields) if isinstance(at, type) and issubclass(at, BaseModel) else []
    return [*known, *(Key.model_fields if at is Value else ()), *(["from"] if at is Scale else ())]


def _inner(annotation: Any) -> Any:
    """The model in an annotation such as ``list[Skip]`` or ``Value | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner(argument)
        if found is not None:
            return found
    return None


def _close(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=NEAR)
    if near:
        return f" (did you mean {near[0]!r}?)"
    return f"; known: {', '.join(known)}" if known else ""


def _unused(rules: Rules, name: str, lines: dict[Path_, int]) -> list[str]:
    """Rules of columns that nothing is made of: a name written wrongly, as a rule."""
    used = used_columns(rules)
    if used is None:
        return []
    wrong = []
    for column in rules.columns:
        if column != EVERY and column not in used:
            line = _line(("columns", column), lines)
            where = name if line is None else f"{name}, line {line}"
            near = difflib.get_close_matches(column, used, n=1, cutoff=NEAR)
            mean = f" (did you mean {near[0]!r}?)" if near else ": take it out, or keep it as a property"
            wrong.append(f"{where}: columns.{column}: nothing is made of this column{mean}.")
    return wrong


def used_columns(rules: Rules, kind: Kind | None = None, *, named: bool = False) -> set[str] | None:
    """Columns that a mapping uses, None where it takes all there are.

    Args:
        rules: The mapping.
        kind: Only those of this table, and those that decide for every table.
        named: Only those that it names.
    """
    used = {condition.column for skip in rules.skip for condition in skip.when}
    used |= set(rules.duplicates.key) if rules.duplicates else set()
    for each, table in rules.tables().items():
        if kind not in (None, each):
            continue
        if table.properties.keep == "*":
            if not named:
                return None
        else:
            used |= {*table.properties.keep}
        used |= {*table.properties.rename, *(tag.column for tag in table.tagged())}
        for field in (*table.fields().values(), *table.properties.add.values()):
            used |= set(field.columns())
    # A column that others are converted by is needed with them.
    for name in sorted(used):
        convert = rules.column(name).convert
        if convert is not None:
            used |= {other for other in (convert.unit, convert.at) if other is not None}
    return used
