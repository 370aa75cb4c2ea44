"""What makes somebody part of an audience: conditions, as they are written and in words.

A condition is a word and what it says, as in a shell (quotes keep blanks together)::

    interest tag=Poetry                    a positive interest; also share=0.2, score=1.5, top=3
    property year>=1990                    as for recommendations: = != < <= > >=
    did event=purchased times=3 days=30    also since=, until=, tag=, item=; without an event any
    seen last since=1930 until=1935-06     first or last; also days=
    like user=u1 user=u2 k=100             the people nearest to these, without them
    vector status=fresh                    fresh, stale, cold_start or missing
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from graphprofile.errors import UsageError
from graphprofile.filters import split_condition
from graphprofile.records import EmbeddingStatus, epoch_ms

DAY_MS = 86_400_000
FURTHEST_MS = 1 << 53
MOST_DAYS = 1_000_000.0
MOST_TIMES = 1_000_000_000
MOST_NEAREST = 10_000
MOST_SEEDS = 1_000
LONGEST = 20_000
GRAMMAR = (
    "Write it like: interest tag=Poetry share=0.2, property city=Paris, did event=purchased times=2 days=30."
)
STATUSES: tuple[str, ...] = get_args(EmbeddingStatus)


@dataclass(frozen=True)
class Times:
    """A stretch of time: the last days up to the newest event, or from one moment to another.

    Attributes:
        days: The last so many, or None.
        since: As it was written, or None.
        until: The same; a day, a month or a year alone is meant to its end.
    """

    days: float | None = None
    since: str | None = None
    until: str | None = None

    def __bool__(self) -> bool:
        return any(one is not None for one in (self.days, self.since, self.until))

    def bounds(self, newest: int | None) -> tuple[int, int]:
        """First and last moment, epoch ms, where the newest event of all is this."""
        since = -FURTHEST_MS if self.since is None else begin_of(self.since)
        until = FURTHEST_MS if self.until is None else end_of(self.until)
        if self.days is not None and newest is not None:
            since = max(since, newest - int(self.days * DAY_MS) + 1)
        return since, until

    def words(self) -> str:
        """In words."""
        parts = []
        if self.days is not None:
            parts.append(f"in the last {self.days:g} days")
        if self.since is not None and self.until is not None:
            parts.append(f"between {self.since} and {self.until}")
        elif self.since is not None:
            parts.append(f"since {self.since}")
        elif self.until is not None:
            parts.append(f"up to {self.until}")
        return " ".join(parts)


@dataclass(frozen=True)
class Interest:
    """A positive interest in a tag: of a least score, a least share, or among the strongest."""

    tag: str
    share: float | None = None
    score: float | None = None
    top: int | None = None

    def words(self) -> str:
        """In words."""
        more = []
        if self.share is not None:
            more.append(f"that makes up at least {self.share:.0%} of theirs of its kind")
        if self.score is not None:
            more.append(f"with a score of at least {self.score:g}")
        if self.top is not None:
            more.append(
                "that is their strongest" if self.top == 1 else f"that is among their {self.top} strongest"
            )
        return " ".join([f"have an interest in {self.tag}", " and ".join(more)]).strip()


@dataclass(frozen=True)
class Property:
    """A comparison of a property, ``year>=1990``."""

    where: str

    def words(self) -> str:
        """In words."""
        name, operator, value = split_condition(self.where)
        said = {
            "=": "is",
            "!=": "is not",
            "<": "is below",
            "<=": "is at most",
            ">": "is above",
            ">=": "is at least",
        }
        return f"have a {name} that {said[operator]} {value}"


@dataclass(frozen=True)
class Did:
    """Events of a type, or of any, often enough, in a time, on an item or on things of a tag."""

    event: str | None = None
    times: int = 1
    when: Times = Times()
    tag: str | None = None
    item: str | None = None

    def words(self) -> str:
        """In words."""
        what = self.event.replace("_", " ") if self.event else "did"
        things = "something" if self.item is None else f"the item {self.item}"
        if self.tag is not None:
            things += f" tagged {self.tag}" if self.item is None else f" (tagged {self.tag})"
        often = "" if self.times == 1 else f"at least {self.times} times"
        of = "something with" if self.event is None and self.item is not None else ""
        return " ".join(filter(None, [what, of, things, often, self.when.words()]))


@dataclass(frozen=True)
class Seen:
    """Whose first or last event lies in a time."""

    which: Literal["first", "last"]
    when: Times

    def words(self) -> str:
        """In words."""
        return f"were {self.which} seen {self.when.words()}"


@dataclass(frozen=True)
class Like:
    """The people whose vectors are nearest to somebody's, or to the middle of several people's."""

    users: tuple[str, ...]
    k: int = 100

    def words(self) -> str:
        """In words."""
        few = ", ".join(self.users[:3]) + (
            f" and {len(self.users) - 3:,} more" if len(self.users) > 3 else ""
        )
        return f"are among the {self.k:,} people most like {few}"


@dataclass(frozen=True)
class Vector:
    """Whose vector is fresh, stale, a cold start, or missing."""

    status: str

    def words(self) -> str:
        """In words."""
        return f"have a vector that is {self.status.replace('_', ' ')}"


Condition = Interest | Property | Did | Seen | Like | Vector
KINDS: dict[str, tuple[str, ...]] = {
    "interest": ("tag", "share", "score", "top"),
    "property": (),
    "did": ("event", "times", "days", "since", "until", "tag", "item"),
    "seen": ("days", "since", "until"),
    "like": ("user", "k"),
    "vector": ("status",),
}
"""Words that conditions begin with, and what each can say."""


def parse(text: str) -> Condition:
    """A condition as it is written.

    Raises:
        UsageError: It is none.
    """
    kind, rest = split(text)
    if kind == "property":
        where = " ".join(rest)
        name, operator, value = split_condition(where)
        return Property(f"{name}{operator}{value}")
    return _build(kind, rest, text)


def split(text: str) -> tuple[str, list[str]]:
    """The word a condition begins with, and the others.

    Raises:
        UsageError: There is no such word, or a quote is left open.
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        raise UsageError("That is no condition, or one that is too long.", GRAMMAR)
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no condition: {error}.", "Close the quote.") from error
    if not words or words[0] not in KINDS:
        raise UsageError(
            f"{words[0] if words else text!r} begins no condition.",
            f"There are: {', '.join(KINDS)}. {GRAMMAR}",
        )
    return words[0], words[1:]


def write(condition: Condition) -> str:
    """A condition as :func:`parse` reads it."""
    said: list[tuple[str, Any]] = []
    first = type(condition).__name__.lower()
    if isinstance(condition, Property):
        return shlex.join([first, condition.where])
    if isinstance(condition, Seen):
        return shlex.join([first, condition.which, *_said(_times(condition.when))])
    if isinstance(condition, Interest):
        said = [(name, getattr(condition, name)) for name in KINDS["interest"]]
    elif isinstance(condition, Did):
        times = condition.times if condition.times != 1 else None
        said = [("event", condition.event), ("times", times), *_times(condition.when)]
        said += [("tag", condition.tag), ("item", condition.item)]
    elif isinstance(condition, Like):
        said = [*(("user", user) for user in condition.users), ("k", condition.k)]
    else:
        said = [("status", condition.status)]
    return shlex.join([first, *_said(said)])


def _times(when: Times) -> list[tuple[str, Any]]:
    return [("days", when.days), ("since", when.since), ("until", when.until)]


def _said(pairs: Sequence[tuple[str, Any]]) -> list[str]:
    return [
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in pairs
        if value is not None
    ]


def _build(kind: str, words: Sequence[str], text: str) -> Condition:
    which, users = None, []
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        name, value = name.strip(), value.strip()
        if kind == "seen" and not equals and name in ("first", "last"):
            which = name
        elif name not in KINDS[kind] or not equals:
            raise UsageError(
                f"{kind}: {word!r} says nothing.", f"It takes {', '.join(f'{one}=…' for one in KINDS[kind])}."
            )
        elif not value:
            raise UsageError(f"{kind}: {name} is empty.", "Give it a value, or leave it out.")
        elif name == "user":
            users.append(value)
        elif name in given:
            raise UsageError(f"{kind}: {name} stands there twice.", "Say it once.")
        else:
            given[name] = value
    read = _Reader(kind, given)
    if kind == "interest":
        return Interest(
            read.needed("tag", "a tag, as NAME or KIND:NAME"),
            read.number("share", 0, 1),
            read.number("score", 0, math.inf),
            read.whole("top", 1, 10_000),
        )
    if kind == "did":
        when = read.times()
        return Did(
            given.get("event"),
            read.whole("times", 1, MOST_TIMES) or 1,
            when,
            given.get("tag"),
            given.get("item"),
        )
    if kind == "seen":
        when = read.times()
        if which is None or not when:
            raise UsageError(
                "seen: says neither first nor last, or no time.", "Write it like: seen last since=2024-01-01."
            )
        return Seen("first" if which == "first" else "last", when)
    if kind == "like":
        if not users or len(users) > MOST_SEEDS:
            raise UsageError(
                f"like: names nobody, or more than {MOST_SEEDS:,}.", "Write it like: like user=u1 k=100."
            )
        return Like(tuple(dict.fromkeys(users)), read.whole("k", 1, MOST_NEAREST) or 100)
    status = read.needed("status", "one of " + ", ".join(STATUSES))
    if status not in STATUSES:
        raise UsageError(f"vector: {status!r} is no status.", f"There are: {', '.join(STATUSES)}.")
    return Vector(status)


class _Reader:
    """What a condition says, in the types it is meant in."""

    def __init__(self, kind: str, given: Mapping[str, str]) -> None:
        self._kind, self._given = kind, given

    def needed(self, name: str, what: str) -> str:
        if name not in self._given:
            raise UsageError(f"{self._kind}: {name} is missing: {what}.", GRAMMAR)
        return self._given[name]

    def number(self, name: str, low: float, high: float) -> float | None:
        return self._read(name, float, low, high, "a number")

    def whole(self, name: str, low: int, high: int) -> int | None:
        found = self._read(name, int, low, high, "a whole number")
        return None if found is None else int(found)

    def _read(
        self, name: str, type_: Callable[[str], float], low: float, high: float, what: str
    ) -> float | None:
        text = self._given.get(name)
        if text is None:
            return None
        try:
            value = type_(text)
            if not low <= value <= high or not math.isfinite(value):
                raise ValueError
        except ValueError:
            bounds = f"at least {low:g}" if high == math.inf else f"{low:g} to {high:g}"
            raise UsageError(f"{self._kind}: {name}={text} is not {what}, {bounds}.", "Mend it.") from None
        return value

    def times(self) -> Times:
        days = self._read("days", float, 0, MOST_DAYS, "a number of days")
        when = Times(days, self._given.get("since"), self._given.get("until"))
        for name, text, read in (("since", when.since, begin_of), ("until", when.until, end_of)):
            try:
                if text is not None and abs(read(text)) > FURTHEST_MS:
                    raise ValueError
            except (ValueError, OverflowError):
                raise UsageError(
                    f"{self._kind}: {name}={text} is no time.", "Write it like 1925-03-01, or a year alone."
                ) from None
        return when


def begin_of(text: str) -> int:
    """The first moment of a time as it is written, epoch ms."""
    return epoch_ms(text)


def end_of(text: str) -> int:
    """The last moment of a time as it is written: of a year, a month or a day alone their end."""
    found = re.fullmatch(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", text.strip())
    if found is None:
        return epoch_ms(text)
    year, month, day = (int(part) if part else None for part in found.groups())
    if day is not None:
        return epoch_ms(text) + DAY_MS - 1
    assert year is not None
    if month in (None, 12):
        return epoch_ms(datetime(year + 1, 1, 1, tzinfo=UTC)) - 1
    assert month is not None
    return epoch_ms(datetime(year, month + 1, 1, tzinfo=UTC)) - 1
