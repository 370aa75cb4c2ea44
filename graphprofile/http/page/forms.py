"""Forms made from declared parameters: one field each, with its bounds, choices and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphprofile.errors import GraphProfileError
from graphprofile.insights import MOST_STEPS, Insight, InsightParameter, base_type
from graphprofile.vocabulary import Vocabulary

ANY = "any"
SUGGESTED = {"item id": "items", "user id": "users", "tag": "tags"}
"""What is suggested while somebody types, by type."""


def fields_of(
    insight: Insight,
    given: Mapping[str, Sequence[str]],
    wrong: Mapping[str, GraphProfileError],
    *,
    vocabulary: Vocabulary,
    types: Sequence[str],
    kinds: Sequence[str],
) -> list[dict[str, Any]]:
    """The fields of an insight's form.

    Args:
        insight: Which.
        given: What stands in them.
        wrong: What is wrong with them, by name.
        vocabulary: Has the event types.
        types: Event types that there are events of.
        kinds: Kinds of tag that there are.
    """
    events = {
        "there": [name for name in types if name in vocabulary.events],
        "others": sorted(set(vocabulary.events) - set(types)),
    }
    return [
        _field(one, list(given.get(one.name, [])), wrong.get(one.name), events, kinds)
        for one in insight.parameters
    ]


def _field(
    one: InsightParameter,
    values: list[str],
    wrong: GraphProfileError | None,
    events: Mapping[str, list[str]],
    kinds: Sequence[str],
) -> dict[str, Any]:
    base = base_type(one.type)
    choices = _choices(one.type)
    kind = {"int": "number", "float": "number", "event type": "event", "event types": "steps"}.get(
        base, "text"
    )
    if base in SUGGESTED:
        kind = "suggest"
    elif base == "tag kind":
        kind, choices = "choice", list(kinds)
    elif choices:
        kind = "choice"
    field: dict[str, Any] = {
        "called": one.name,
        "label": one.name.replace("_", " "),
        "text": one.text,
        "unit": _unit(one.type) if kind == "number" else None,
        "kind": kind,
        "value": " ".join(values) if kind == "steps" else (values[-1] if values else ""),
        "default": one.default,
        "required": one.default is None,
        "may_be_empty": one.default in (None, ANY),
        "choices": choices,
        "events": dict(events) if kind in ("event", "steps") else None,
        "suggests": SUGGESTED.get(base),
        "wrong": None if wrong is None else {"message": wrong.message, "hint": _hint(wrong)},
        **_bounds(one.type, whole=base == "int"),
    }
    if kind == "steps":
        chosen = values or str(one.default).split()
        field["steps"] = [*chosen, *([""] if len(chosen) < MOST_STEPS else [])]
        field["most"] = MOST_STEPS
    return field


def _choices(declared: str) -> list[str]:
    for rule in declared.split(","):
        words = rule.split()
        if words[:2] == ["one", "of"]:
            return words[2:]
    return []


def _bounds(declared: str, *, whole: bool) -> dict[str, str | None]:
    found: dict[str, str | None] = {"min": None, "max": None, "step": "1" if whole else "any"}
    for rule in declared.split(","):
        words = rule.split()
        if words[:2] == ["at", "least"]:
            found["min"] = words[2]
        elif words[:2] == ["at", "most"]:
            found["max"] = words[2]
        elif words[:1] == ["above"] and words[1] == "0":
            # A browser knows no open bound; the server refuses the zero itself.
            found["min"] = "0"
    return found


def _unit(declared: str) -> str | None:
    parts = [part.strip() for part in declared.split(",")]
    rules = ("at least", "at most", "above", "one of", "default", "not before", "0 to 1")
    return next((part for part in parts[1:] if not part.startswith(rules)), None)


def _hint(error: GraphProfileError) -> str | None:
    """The hint, where it is not one for a command line."""
    if error.hint is None or "--" in error.hint or "`" in error.hint:
        return None
    # What there is stands in the field already.
    return error.hint.partition("Known:")[0].strip() or None


def read_form(query: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """What stands in a query, without what is empty."""
    found: dict[str, list[str]] = {}
    for name, value in query:
        if value.strip():
            found.setdefault(name, []).append(value.strip())
    return found


def parameters_of(insight: Insight, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The parameters that a form gives; several event types as a list, of anything else the last one."""
    several = {one.name for one in insight.parameters if base_type(one.type) == "event types"}
    return {
        name: " ".join(values).split() if name in several else values[-1]
        for name, values in given.items()
        if values
    }
