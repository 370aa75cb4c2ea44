"""What a recommendation must meet: tags, properties, availability; as parameters of statements, never as their text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from graphprofile.errors import NotFound, UnknownProperty, UsageError
from graphprofile.reading import resolve_tag
from graphprofile.records import SYSTEM_PROPERTIES, chunks

if TYPE_CHECKING:
    from graphprofile.store import Store

OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
IDS_AT_ONCE = 10_000
# Nothing beside it: blanks that a pattern gives and takes on both sides cost their number squared, and the text may
# be a stranger's.
_OPERATOR = re.compile("[<>=!~]+")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

Where = str | tuple[str, str, Any]
"""A condition on a property: ``year>=1990``, or its three parts."""


@dataclass(frozen=True)
class Filters:
    """What was asked for.

    Attributes:
        tags: ``name`` or ``kind:name``; an object must have each, or a tag that is part of it.
        where: Conditions on properties; an object without the property fails.
        available: Leave out what is not available (see ``available_property`` of the settings).
    """

    tags: Sequence[str] = ()
    where: Sequence[Where] = ()
    available: bool = False

    def __bool__(self) -> bool:
        return bool(self.tags or self.where or self.available)


NO_FILTERS = Filters()


@dataclass(frozen=True)
class Conditions:
    """Filters as the statements under ``cypher/recommend`` take them.

    Attributes:
        tags: Per tag asked for: it and all tags below it, as (kind, name).
        properties: ``{property, operator, value, numeric}`` each.
        available: Name of the property that is false on what cannot be had; None where that does not matter.
    """

    tags: list[list[tuple[str, str]]] = field(default_factory=list)
    properties: list[dict[str, Any]] = field(default_factory=list)
    available: str | None = None

    def __bool__(self) -> bool:
        return bool(self.tags or self.properties or self.available)

    def keep(self, store: Store, plural: str, ids: Sequence[str]) -> set[str]:
        """Those of some objects that meet the conditions.

        Args:
            store: The graph.
            plural: ``items`` or ``contents``.
            ids: Of the objects.
        """
        kept: set[str] = set()
        for part in chunks(ids, IDS_AT_ONCE):
            rows = store.read(
                f"recommend/filter_{plural}", ids=list(part), tags=self._groups(), **self._rest()
            )
            kept.update(row["id"] for row in rows)
        return kept

    def all(self, store: Store, plural: str) -> list[str]:
        """All objects that meet the conditions, sorted."""
        if not self.tags:
            return sorted(row["id"] for row in store.stream(f"recommend/match_{plural}", **self._rest()))
        start = min(self.tags, key=len)
        rows = store.stream(
            f"recommend/match_tagged_{plural}",
            start=[list(tag) for tag in start],
            tags=self._groups(),
            **self._rest(),
        )
        # An object with two of the tags may come twice.
        return sorted({row["id"] for row in rows})

    def _groups(self) -> list[list[str]]:
        return [[f"{kind}:{name}" for kind, name in group] for group in self.tags]

    def _rest(self) -> dict[str, Any]:
        return {"conditions": self.properties, "available": self.available}


@dataclass(frozen=True)
class Nodes:
    """Nodes whose properties can be asked about.

    Attributes:
        called: In messages.
        sample: Statement that reads some values of a property.
        names: Statement that lists properties.
        said: What a message about a condition begins with.
    """

    called: str
    sample: str
    names: str
    said: str


OF_OBJECTS = Nodes("item or content", "recommend/sample_property", "recommend/list_properties", "--where")
OF_USERS = Nodes("user", "audience/sample_property", "audience/list_properties", "property")


def resolve(store: Store, filters: Filters, available_property: str) -> Conditions:
    """Filters with their tags found and their values typed as the graph has them.

    Args:
        store: The graph.
        filters: What was asked for.
        available_property: Of the settings.

    Raises:
        UsageError: An unknown tag or property, a bad operator, or a value of another type than the property.
    """
    return Conditions(
        tags=[at_or_below(store, tag) for tag in filters.tags],
        properties=[property_condition(store, where) for where in filters.where],
        available=available_property if filters.available else None,
    )


def at_or_below(store: Store, tag: str) -> list[tuple[str, str]]:
    """A tag, first, and all tags that are part of it, as (kind, name).

    Raises:
        UsageError: There is no such tag; the nearest are named.
    """
    try:
        kind, name = resolve_tag(store, tag)
    except NotFound as error:
        raise UsageError(error.message, _near_tags(store, tag) or error.hint) from error
    rows = store.read("recommend/list_narrower_tags", kind=kind, name=name)
    return [(row["kind"], row["name"]) for row in rows]


def _near_tags(store: Store, tag: str) -> str | None:
    name = tag.rpartition(":")[2].lower()
    for length in (4, 2, 1):
        found = {
            row["name"].lower(): f"{row['kind']}:{row['name']}"
            for row in store.read("profile/suggest_tags", prefix=name[:length])
        }
        near = get_close_matches(name, found, n=3, cutoff=0.5)
        if near:
            return f"Did you mean {', '.join(found[text] for text in near)}?"
    return None


def property_condition(store: Store, where: Where, nodes: Nodes = OF_OBJECTS) -> dict[str, Any]:
    """A condition as statements take it, its value typed as the property is.

    Raises:
        UsageError: No node has such a property, or the value is of another type.
    """
    name, operator, value = split_condition(where)
    if name in SYSTEM_PROPERTIES:
        raise UsageError(
            f"{nodes.said} {name}: graphprofile keeps that property itself.", "Name one of your own."
        )
    values = [row["value"] for row in store.read(nodes.sample, property=name)]
    if not values:
        known = {row["name"] for row in store.read(nodes.names)} - SYSTEM_PROPERTIES
        raise UnknownProperty(f"{nodes.said} {name}", nodes.called, name, known)
    if any(isinstance(entry, list) for entry in values):
        if operator not in ("=", "!="):
            raise UsageError(f"{nodes.said} {name}: lists can be asked with = (has) and != (has not) only.")
        values = [entry for one in values if isinstance(one, list) for entry in one]
        typed, _ = _typed(f"{nodes.said} {name}", values, value)
        return {
            "property": name,
            "operator": "has" if operator == "=" else "has not",
            "value": typed,
            "numeric": False,
        }
    typed, numeric = _typed(f"{nodes.said} {name}", values, value)
    return {"property": name, "operator": operator, "value": typed, "numeric": numeric}


def split_condition(where: Where) -> tuple[str, str, Any]:
    """Property, operator and value of a condition.

    Raises:
        UsageError: It has no such parts, or the operator is none.
    """
    if isinstance(where, str):
        found = _OPERATOR.search(where)
        name = where[: found.start()].strip() if found else ""
        if found is None or not name:
            raise UsageError(
                f"--where {where!r} is no condition.", "Write it like year>=1990 or author=Woolf."
            )
        operator, value = found.group(), where[found.end() :].strip()
    else:
        name, operator, value = where
    operator = {"==": "=", "<>": "!=", "=>": ">=", "=<": "<="}.get(operator, operator)
    if operator not in OPERATORS:
        raise UsageError(
            f"--where {name}: {operator!r} is no operator.", f"There are: {', '.join(OPERATORS)}."
        )
    return str(name), operator, value


def _typed(name: str, stored: Sequence[Any], value: Any) -> tuple[Any, bool]:
    """The value as the property is stored, and whether both are compared as numbers.

    A file of text has its numbers as text; they are compared as the numbers they are.
    """
    truths = [isinstance(entry, bool) for entry in stored]
    if all(truths):
        found = _TRUTH.get(str(value).strip().lower())
        if found is None:
            raise UsageError(f"{name}: {value!r} is neither true nor false, as the property is.")
        return found, False
    if any(isinstance(entry, (int, float)) for entry, truth in zip(stored, truths, strict=True) if not truth):
        return _number(name, value), True
    if not all(isinstance(entry, str) for entry in stored):
        raise UsageError(
            f"{name}: its values are neither text nor numbers.", "Ask with `graphprofile cypher`."
        )
    number = _read_number(value)
    if number is not None and all(_read_number(entry) is not None for entry in stored):
        return number, True
    return str(value), False


def _number(name: str, value: Any) -> float:
    number = _read_number(value)
    if number is None:
        raise UsageError(f"{name}: {value!r} is no number, and the property holds numbers.")
    return number


def _read_number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
