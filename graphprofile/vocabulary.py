"""The event vocabulary: which events there are, and what each says about a person's interest."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from graphprofile.errors import ConfigError, UsageError
from graphprofile.queries import RELATIONSHIP_TYPE
from graphprofile.records import FeedbackSort

ObjectKind = Literal["item", "content", "user"]
ValueMeaning = Literal["ignored", "amount", "rating"]

RESERVED_TYPES = frozenset({"HAS_TAG", "PART_OF", "INTERESTED_IN", "SIMILAR_TO", "IN_SEGMENT", "IDENTIFIES"})
SAID_TYPES = frozenset({"LIKED", "DISLIKED", "RATED", "REVIEWED"})
"""Relationship types that are explicit feedback where nothing else is declared; so is every rating."""


class EventRule(BaseModel):
    """What one kind of event means.

    Attributes:
        type: Relationship type in the graph.
        weight: Contribution to an interest before value and decay; negative for dislikes and returns.
        value: ``ignored``: m = 1. ``amount``: m = log1p|value|, 1 where there is none.
            ``rating``: m = value - neutral, a value is required.
        neutral: The rating that says nothing, 3 on a scale of 1 to 5.
        minimum: Smallest valid value, or None.
        maximum: Largest valid value, or None.
        objects: Kinds of object the event takes.
        feedback: ``explicit``: what a person says (a rating, a like, an answer); ``implicit``: what a person does.
            Where nothing is declared, ratings and :data:`SAID_TYPES` are explicit.

    A rating's ``scale = [1, 5]`` may be given instead of minimum and maximum; its middle is neutral where no other
    value is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    weight: float = Field(default=1.0, allow_inf_nan=False)
    value: ValueMeaning = "ignored"
    neutral: float = 3.0
    minimum: float | None = None
    maximum: float | None = None
    objects: tuple[ObjectKind, ...] = ("item", "content")
    feedback: FeedbackSort = "implicit"

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        filled = _with_scale(given) if "scale" in given else dict(given)
        if filled.get("feedback") is None:
            filled["feedback"] = _usual_feedback(filled.get("type"), filled.get("value"))
        return filled

    @model_serializer(mode="wrap")
    def _dump(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # What goes without saying is not said: the text is then the one of stores that are older than the field.
        dumped: dict[str, Any] = handler(self)
        if self.feedback == _usual_feedback(self.type, self.value):
            dumped.pop("feedback", None)
        return dumped

    @model_validator(mode="after")
    def _check(self) -> EventRule:
        if not RELATIONSHIP_TYPE.match(self.type) or self.type in RESERVED_TYPES:
            raise ValueError(
                f"type {self.type!r}: use capital letters, digits and underscores, and none of "
                + ", ".join(sorted(RESERVED_TYPES))
            )
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is larger than maximum")
        if not self.objects:
            raise ValueError("objects is empty: name item, content or user")
        return self

    def as_parameter(self) -> dict[str, object]:
        """The rule as a Cypher parameter: weight, value, neutral and feedback."""
        return {
            "weight": self.weight,
            "value": self.value,
            "neutral": self.neutral,
            "feedback": self.feedback,
        }


def _usual_feedback(type_: Any, value: Any) -> FeedbackSort:
    return "explicit" if value == "rating" or type_ in SAID_TYPES else "implicit"


def _with_scale(given: dict[str, Any]) -> dict[str, Any]:
    """A rule whose ``scale`` is its minimum, its maximum and, where no other value is neutral, the middle."""
    filled = dict(given)
    scale = filled.pop("scale")
    numbers = isinstance(scale, list | tuple) and [
        one
        for one in scale
        if isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one)
    ]
    if not numbers or len(numbers) != 2 or len(scale) != 2 or numbers[0] >= numbers[1]:
        raise ValueError(f"scale is {scale!r}: give its lowest and its highest value, like [1, 5]")
    if filled.get("value") != "rating":
        raise ValueError('only a rating has a scale: add value = "rating"')
    if filled.get("minimum") is not None or filled.get("maximum") is not None:
        raise ValueError("scale says minimum and maximum already: leave those out")
    low, high = numbers
    neutral = filled.setdefault("neutral", (low + high) / 2)
    if isinstance(neutral, int | float) and not low <= neutral <= high:
        raise ValueError(f"neutral is {neutral:g}, which is not on the scale of {low:g} to {high:g}")
    return {**filled, "minimum": low, "maximum": high}


def _rule(
    name: str,
    weight: float = 1.0,
    value: ValueMeaning = "ignored",
    objects: tuple[ObjectKind, ...] = ("item", "content"),
    minimum: float | None = None,
    maximum: float | None = None,
) -> tuple[str, EventRule]:
    return name, EventRule(
        type=name.upper(), weight=weight, value=value, objects=objects, minimum=minimum, maximum=maximum
    )


DEFAULT_EVENTS: dict[str, EventRule] = dict(
    [
        _rule("viewed", 1.0),
        _rule("clicked", 1.0),
        _rule("searched", 1.0),
        _rule("visited", 1.0),
        _rule("liked", 2.0),
        _rule("disliked", -2.0),
        _rule("rated", 1.0, "rating", minimum=0.0, maximum=5.0),
        _rule("reviewed", 2.0),
        _rule("shared", 3.0),
        _rule("saved", 2.0),
        _rule("followed", 2.0, objects=("user", "item", "content")),
        _rule("added_to_cart", 2.0),
        _rule("purchased", 4.0, "amount", minimum=0.0),
        _rule("returned", -4.0, "amount", minimum=0.0),
        _rule("borrowed", 3.0),
        _rule("watched", 2.0),
        _rule("read", 2.0),
        _rule("completed", 3.0),
        _rule("subscribed", 3.0, objects=("item", "content", "user")),
        _rule("answered", 1.0),
    ]
)


class Vocabulary(BaseModel):
    """Event names and their rules, with the half-lives interests are computed with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    events: dict[str, EventRule] = Field(default_factory=lambda: dict(DEFAULT_EVENTS))
    half_life_short_days: float = Field(default=7.0, gt=0, allow_inf_nan=False)
    half_life_long_days: float = Field(default=90.0, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _check(self) -> Vocabulary:
        seen: dict[str, str] = {}
        for name, rule in self.events.items():
            if rule.type in seen:
                raise ValueError(f"events {seen[rule.type]!r} and {name!r} share the type {rule.type}")
            seen[rule.type] = name
        return self

    @property
    def types(self) -> tuple[str, ...]:
        """Relationship types, sorted."""
        return tuple(sorted(rule.type for rule in self.events.values()))

    @property
    def positive_types(self) -> tuple[str, ...]:
        """Relationship types of the events that speak for an interest, sorted."""
        return tuple(sorted(rule.type for rule in self.events.values() if rule.weight > 0))

    @property
    def feedback_of(self) -> dict[str, FeedbackSort]:
        """Whether something is said or done, by relationship type."""
        return {rule.type: rule.feedback for rule in self.events.values()}

    def with_feedback_of(self, declared: Vocabulary) -> Vocabulary:
        """These rules, with what another vocabulary says of explicit and implicit about the types it has too."""
        found = declared.feedback_of
        if all(found.get(rule.type, rule.feedback) == rule.feedback for rule in self.events.values()):
            return self
        events = {
            name: rule.model_copy(update={"feedback": found.get(rule.type, rule.feedback)})
            for name, rule in self.events.items()
        }
        return self.model_copy(update={"events": events})

    @property
    def name_of(self) -> dict[str, str]:
        """Event name by relationship type."""
        return {rule.type: name for name, rule in self.events.items()}

    def rules(self) -> dict[str, dict[str, object]]:
        """Rules by relationship type, as a Cypher parameter."""
        return {rule.type: rule.as_parameter() for rule in self.events.values()}

    def to_json(self) -> str:
        """Canonical JSON text: equal vocabularies give equal text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    def fingerprint(self) -> str:
        """SHA-256 of :meth:`to_json`, 16 hex digits."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    @classmethod
    def from_json(cls, text: str) -> Vocabulary:
        """Read what :meth:`to_json` wrote.

        Raises:
            ConfigError: The text is no vocabulary of this version.
        """
        try:
            return cls.model_validate_json(text)
        except ValueError as error:
            raise ConfigError(
                f"The vocabulary stored in the graph cannot be read: {error}.",
                "Use the graphprofile version that wrote the store.",
            ) from error

    def suggest(self, name: str) -> str:
        """What to add to ``graphprofile.toml`` to declare an event type of this name: two lines of TOML."""
        safe = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "EVENT"
        safe = safe if safe[0].isalpha() else f"EVENT_{safe}"
        key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
        return f'[events.{key}]\ntype = "{safe}"'

    def changed_rules(self, other: Vocabulary) -> list[str]:
        """What differs from ``other`` in a way that changes interests already computed.

        New event names alone change nothing that was computed, nor does what is explicit and what implicit.
        """
        theirs = other.with_feedback_of(self)
        changes = [
            f"{name}: {other.events[name].type if name in other.events else 'absent'} is not as declared"
            for name in sorted(set(self.events) & set(other.events))
            if self.events[name] != theirs.events[name]
        ]
        changes += [f"{name}: no longer declared" for name in sorted(set(other.events) - set(self.events))]
        for field in ("half_life_short_days", "half_life_long_days"):
            if getattr(self, field) != getattr(other, field):
                changes.append(f"{field}: {getattr(other, field)} became {getattr(self, field)}")
        return changes


def checked_types(vocabulary: Vocabulary, names: Iterable[str]) -> tuple[str, ...]:
    """Relationship types of the named events.

    Raises:
        UsageError: An event name that the vocabulary doesn't declare.
    """
    found = []
    for name in names:
        if name not in vocabulary.events:
            raise UsageError(
                f"Unknown event type {name!r}.", f"Add to graphprofile.toml: {vocabulary.suggest(name)}"
            )
        found.append(vocabulary.events[name].type)
    return tuple(sorted(found))
