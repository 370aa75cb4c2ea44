"""Questions with ready answers: the files under ``cypher/insights``, and the measures of :mod:`.networks`.

A file's header declares its parameters in words that are also the rules they are checked by::

    item (item id): …                       text; there must be such an item
    user (user id): …                       text; there must be such a user
    tag (tag): …                            a tag's name or kind:name; fills the parameter ``kind``
    event (event type, default any): …      name of an event in the vocabulary, or its relationship type
    as_of (time, default newest event): …   ISO 8601 or epoch milliseconds
    half_life_days (float, days, from the vocabulary): …   not asked for, and not to be given
    limit (int, rows, at least 1, default 20): …

Columns whose name ends in ``_at`` are times: epoch milliseconds in the graph, ISO 8601 in the answer.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from graphprofile import networks, queries
from graphprofile.errors import NotFound, UsageError
from graphprofile.reading import require_user, resolve_tag, titles_of, watermark
from graphprofile.records import Document, epoch_ms, iso
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

AREA = "insights"
NEWEST = "newest event"
FROM_VOCABULARY = "from the vocabulary"

# A return or a dislike says something of a person's rhythm too; everywhere else only event types of positive
# weight are a sign of interest.
EVERY_EVENT_TYPE = frozenset({"loyal_and_lapsing_users"})


class InsightParameter(Document):
    """One parameter: ``default`` is None where it must be given."""

    name: str
    type: str
    default: str | None
    text: str


class InsightColumn(Document):
    """One column of the answer."""

    name: str
    type: str
    text: str


class Insight(Document):
    """One question that can be asked; ``kind`` says what answers it."""

    name: str
    kind: Literal["cypher", "networkx"]
    question: str
    notes: str
    parameters: list[InsightParameter]
    columns: list[InsightColumn]


def list_insights() -> list[Insight]:
    """All insights, sorted by name."""
    found = [
        _describe(name.partition("/")[2], "cypher", query.summary, query.parameters, query.columns)
        for name in queries.names(AREA)
        for query in [queries.load(name)]
    ]
    found += [
        _describe(name, "networkx", measure.summary, measure.parameters, measure.columns)
        for name, measure in networks.MEASURES.items()
    ]
    return sorted(found, key=lambda insight: insight.name)


def run_insight(store: Store, vocabulary: Vocabulary, name: str, /, **params: Any) -> list[dict[str, Any]]:
    """Answer one of the questions.

    Args:
        store: The graph.
        vocabulary: Declares the event types that are counted.
        name: One of :func:`list_insights`.
        **params: Its parameters; text is converted to the declared type, as a command line gives it.

    Returns:
        Rows with the declared columns, in the order the file states.

    Raises:
        UsageError: No such insight, or a parameter that is unknown, missing, ambiguous or of the wrong type.
        NotFound: There is no such user, item or tag.
    """
    insight = _find(name)
    unknown = sorted(set(params) - {field.name for field in insight.parameters})
    if unknown:
        known = ", ".join(field.name for field in insight.parameters)
        raise UsageError(
            f"{name} takes no parameter {unknown[0]!r}.",
            f"{_did_you_mean(unknown[0], [field.name for field in insight.parameters])}It takes: {known}.",
        )
    values = _Values(store, vocabulary, insight).convert(params)
    if insight.kind == "networkx":
        rows = networks.MEASURES[name].run(store, vocabulary, **values)
    else:
        query = f"{AREA}/{name}"
        types = [
            rule.type for rule in vocabulary.events.values() if rule.weight > 0 or name in EVERY_EVENT_TYPE
        ]
        event_types = sorted(types) if queries.load(query).takes_event_types else ()
        if any(field.name == "half_life_days" for field in queries.load(query).parameters):
            values["half_life_days"] = vocabulary.half_life_long_days
        rows = store.read(query, event_types=event_types, **values)
    return [{key: iso(value) if key.endswith("_at") else value for key, value in row.items()} for row in rows]


class _Values:
    """Parameters of one call, converted and checked against the header's words."""

    def __init__(self, store: Store, vocabulary: Vocabulary, insight: Insight) -> None:
        self.store = store
        self.vocabulary = vocabulary
        self.insight = insight
        self.by_type: Mapping[str, Callable[[Any], Any]] = {
            "text": _text,
            "tag kind": _text,
            "tag": _text,
            "int": _whole,
            "float": _number,
            "time": epoch_ms,
            "item id": self._item,
            "user id": self._user,
            "event type": self._event_type,
        }

    def convert(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters of the query."""
        values = {field.name: self._one(field, given.get(field.name)) for field in self.insight.parameters}
        types = {field.name: _base(field.type) for field in self.insight.parameters}
        for name in [name for name, base in types.items() if base == "tag"]:
            asked = f"{values['kind']}:{values[name]}" if values.get("kind") else values[name]
            values["kind"], values[name] = resolve_tag(self.store, asked)
        users = [name for name, base in types.items() if base == "user id"]
        if len({values[name] for name in users}) < len(users):
            raise UsageError(f"{self.insight.name}: {' and '.join(users)} are the same.", "Name two people.")
        return values

    def _one(self, field: InsightParameter, value: Any) -> Any:
        if value is None and field.default is None:
            raise UsageError(
                f"{self.insight.name} needs the parameter {field.name}: {field.text}.",
                f"For example: --param {field.name}=…",
            )
        if value is None:
            if field.default == "any":
                return None
            value = self._newest() if field.default == NEWEST else field.default
        try:
            converted = self.by_type[_base(field.type)](value)
        except (TypeError, ValueError, OverflowError) as error:
            raise UsageError(
                f"{self.insight.name}: {field.name} = {value!r} is not of type {_base(field.type)}.",
                f"{field.name}: {field.text}.",
            ) from error
        self._check(field, converted)
        return converted

    def _check(self, field: InsightParameter, value: Any) -> None:
        """The bounds that the header states."""
        wrong = None
        for rule in field.type.split(","):
            words = rule.split()
            if rule.strip().startswith("at least") and value < float(words[2]):
                wrong = f"is below {words[2]}"
            elif rule.strip().startswith("above") and value <= float(words[1]):
                wrong = f"is not above {words[1]}"
            elif rule.strip().startswith("one of") and value not in words[2:]:
                wrong = f"is none of {', '.join(words[2:])}"
            elif "not before the newest event" in rule and value < self._newest():
                wrong = f"lies before the newest event, {iso(self._newest())}, as of which interests are kept"
        if wrong:
            raise UsageError(
                f"{self.insight.name}: {field.name} = {value!r} {wrong}.", f"{field.name}: {field.text}."
            )

    def _newest(self) -> int:
        newest = watermark(self.store)
        if newest is None:
            raise NotFound("The store holds no events yet.", "Load some: graphprofile load FILE.")
        return newest

    def _item(self, value: Any) -> str:
        text = _text(value)
        if not titles_of(self.store, [("Item", text)]):
            raise NotFound(f"No item {text!r}.", "Check the id, or load the events that name it.")
        return text

    def _user(self, value: Any) -> str:
        text = _text(value)
        require_user(self.store, text)
        return text

    def _event_type(self, value: Any) -> str:
        text = _text(value)
        types = {rule.type: rule for rule in self.vocabulary.events.values()}
        rule = self.vocabulary.events.get(text) or types.get(text)
        if rule is None:
            names = sorted(self.vocabulary.events)
            raise UsageError(
                f"Unknown event type {text!r}.", f"{_did_you_mean(text, names)}Known: {', '.join(names)}."
            )
        return rule.type


def _describe(
    name: str,
    kind: Literal["cypher", "networkx"],
    summary: str,
    parameters: tuple[queries.Field, ...],
    columns: tuple[queries.Field, ...],
) -> Insight:
    question, mark, notes = summary.partition("?")
    return Insight(
        name=name,
        kind=kind,
        question=question + mark,
        notes=notes.strip(),
        parameters=[
            InsightParameter(name=field.name, type=field.type, default=field.default, text=field.text)
            for field in parameters
            if FROM_VOCABULARY not in field.type
        ],
        columns=[InsightColumn(name=field.name, type=field.type, text=field.text) for field in columns],
    )


def _find(name: str) -> Insight:
    known = {insight.name: insight for insight in list_insights()}
    if name not in known:
        raise UsageError(
            f"There is no insight {name!r}.", f"{_did_you_mean(name, list(known))}Known: {', '.join(known)}."
        )
    return known[name]


def _base(declared: str) -> str:
    """The type itself, without unit, bounds and default."""
    return declared.split(",")[0].strip()


def _did_you_mean(text: str, known: list[str]) -> str:
    close = difflib.get_close_matches(text, known, n=1)
    return f"Did you mean {close[0]}? " if close else ""


def _text(value: Any) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool) or not str(value).strip():
        raise ValueError("no text")
    return str(value).strip()


def _whole(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError("no whole number")
    return int(number)


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError("no number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number
