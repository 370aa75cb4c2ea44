"""Questions with ready answers: the files under ``cypher/insights``, and the measures of :mod:`.networks`.

A file's header declares its parameters in words that are also the rules they are checked by::

    item (item id): …                       text; there must be such an item
    user (user id): …                       text; there must be such a user
    tag (tag): …                            a tag's name or kind:name; fills the parameter ``kind``
    other_tag (tag): …                      the same; fills ``other_kind``
    event (event type, default any): …      name of an event in the vocabulary, or its relationship type
    steps (event types, default viewed …)   several, in a list or with spaces between
    as_of (time, default newest event): …   ISO 8601 or epoch milliseconds
    half_life_days (float, days, from the vocabulary): …   not asked for, and not to be given; ``rules`` the same
    limit (int, rows, at least 1, at most 10000, default 20): …

Columns whose name ends in ``_at`` are times: epoch milliseconds in the graph, ISO 8601 in the answer. Columns of type
``event type`` are relationship types in the graph, and names of the vocabulary in the answer.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from graphprofile import networks, queries
from graphprofile.errors import ConfigError, GraphProfileError, NotFound, UsageError
from graphprofile.reading import require_user, resolve_tag, titles_of, watermark
from graphprofile.records import Document, epoch_ms, iso
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

AREA = "insights"
NEWEST = "newest event"
FROM_VOCABULARY = "from the vocabulary"

GROUPS = ("customers", "items", "content", "communities", "journeys", "growth")
"""Headings the insights are listed under, in this order."""

MOST_STEPS = 10
_LARGEST = 1 << 62


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


class InsightChart(Document):
    """How the answer is best drawn; ``axes`` says which column goes where."""

    type: str
    axes: dict[str, str]


class Insight(Document):
    """One question that can be asked; ``kind`` says what answers it."""

    name: str
    group: str
    kind: Literal["cypher", "networkx"]
    question: str
    notes: str
    parameters: list[InsightParameter]
    columns: list[InsightColumn]
    chart: InsightChart


def list_insights() -> list[Insight]:
    """All insights by group, and by name within each."""
    found = [_describe(name.partition("/")[2], "cypher", queries.load(name)) for name in queries.names(AREA)]
    found += [_describe(name, "networkx", measure) for name, measure in networks.MEASURES.items()]
    return sorted(found, key=lambda insight: (GROUPS.index(insight.group), insight.name))


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
        file = queries.load(query)
        types = vocabulary.types if file.every_event_type else vocabulary.positive_types
        declared = {"half_life_days": vocabulary.half_life_long_days, "rules": vocabulary.rules()}
        for field in file.parameters:
            if FROM_VOCABULARY in field.type:
                values[field.name] = declared[field.name]
        rows = store.read(query, event_types=types if file.takes_event_types else (), **values)
    return _shown(rows, insight, vocabulary)


def _shown(rows: list[dict[str, Any]], insight: Insight, vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """Rows with times and event types as people write them."""
    names = vocabulary.name_of
    written: dict[str, Callable[[Any], Any]] = {
        column.name: iso for column in insight.columns if column.name.endswith("_at")
    }
    for column in insight.columns:
        if column.type == "event type":
            written[column.name] = lambda value: names.get(value, value)
        elif column.type == "list of event type":
            written[column.name] = lambda value: [names.get(one, one) for one in value]
    return [
        {key: written[key](value) if key in written else value for key, value in row.items()} for row in rows
    ]


def wrong_parameters(
    store: Store, vocabulary: Vocabulary, insight: Insight, params: Mapping[str, Any]
) -> dict[str, GraphProfileError]:
    """What is wrong with each parameter, by its name; under an empty name what is wrong with several together."""
    values = _Values(store, vocabulary, insight)
    wrong: dict[str, GraphProfileError] = {}
    for field in insight.parameters:
        try:
            values.check(field, params)
        except (UsageError, NotFound) as error:
            wrong[field.name] = error
    if not wrong:
        try:
            values.convert(params)
        except (UsageError, NotFound) as error:
            wrong[""] = error
    return wrong


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
            "event types": self._event_types,
        }

    def convert(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters of the query."""
        values = {field.name: self._one(field, given.get(field.name)) for field in self.insight.parameters}
        types = {field.name: base_type(field.type) for field in self.insight.parameters}
        for name in [name for name, base in types.items() if base == "tag" and values[name] is not None]:
            kind = _kind_of(name)
            asked = f"{values[kind]}:{values[name]}" if values.get(kind) else values[name]
            values[kind], values[name] = resolve_tag(self.store, asked)
        for base, what in (("user id", "people"), ("tag", "tags"), ("event type", "event types")):
            names = [name for name, found in types.items() if found == base and values[name] is not None]
            chosen = {(base == "tag" and values[_kind_of(name)], values[name]) for name in names}
            if len(chosen) < len(names):
                raise UsageError(
                    f"{self.insight.name}: {' and '.join(names)} are the same.", f"Name two different {what}."
                )
        return values

    def check(self, field: InsightParameter, given: Mapping[str, Any]) -> None:
        """One parameter by itself, and a tag with its kind."""
        value = self._one(field, given.get(field.name))
        if base_type(field.type) == "tag" and value is not None:
            kind = given.get(_kind_of(field.name))
            resolve_tag(self.store, f"{kind}:{value}" if kind else value)

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
            converted = self.by_type[base_type(field.type)](value)
            if isinstance(converted, int) and abs(converted) > _LARGEST:
                raise OverflowError("more than the graph can count")
        except (TypeError, ValueError, OverflowError) as error:
            raise UsageError(
                f"{self.insight.name}: {field.name} = {value!r} is not of type {base_type(field.type)}.",
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
            elif rule.strip().startswith("at most") and value > float(words[2]):
                wrong = f"is above {words[2]}"
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

    def _event_types(self, value: Any) -> list[str]:
        named = value.replace(",", " ").split() if isinstance(value, str) else value
        if not isinstance(named, list | tuple) or not named:
            raise ValueError("no event types")
        if len(named) > MOST_STEPS:
            raise UsageError(
                f"{self.insight.name} takes {MOST_STEPS} event types at most, not {len(named)}.",
                "Leave some out.",
            )
        return [self._event_type(one) for one in named]

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


def _describe(name: str, kind: str, source: queries.Query | networks.Measure) -> Insight:
    question, mark, notes = source.summary.partition("?")
    if source.group not in GROUPS or source.chart is None:
        raise ConfigError(
            f"The insight {name} has no group or no chart.",
            f"Groups: {', '.join(GROUPS)}. See cypher/insights.",
        )
    return Insight.model_validate(
        {
            "name": name,
            "group": source.group,
            "kind": kind,
            "question": question + mark,
            "notes": notes.strip(),
            "parameters": [
                {"name": field.name, "type": field.type, "default": field.default, "text": field.text}
                for field in source.parameters
                if FROM_VOCABULARY not in field.type
            ],
            "columns": [
                {"name": field.name, "type": field.type, "text": field.text} for field in source.columns
            ],
            "chart": {"type": source.chart.type, "axes": dict(source.chart.axes)},
        }
    )


def _find(name: str) -> Insight:
    known = {insight.name: insight for insight in list_insights()}
    if name not in known:
        raise UsageError(
            f"There is no insight {name!r}.", f"{_did_you_mean(name, list(known))}Known: {', '.join(known)}."
        )
    return known[name]


def base_type(declared: str) -> str:
    """The type itself, without unit, bounds and default."""
    return declared.split(",")[0].strip()


def _kind_of(tag: str) -> str:
    """The parameter that holds the kind of a tag."""
    return tag.replace("tag", "kind")


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
