"""Audiences: the people who meet conditions, counted, listed and handed out in the order of their ids.

One condition says where to begin, such as at the users of a tag, and the others look at those candidates, some
thousands at a time: what is held in memory does not grow with the graph.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphprofile.audience.conditions import Condition, Like, Property, parse
from graphprofile.audience.steps import Resolver, Step, ids_of
from graphprofile.counts import count_users
from graphprofile.errors import UsageError
from graphprofile.filters import split_condition
from graphprofile.reading import significant
from graphprofile.records import SYSTEM_PROPERTIES, Document, chunks, iso, plain

if TYPE_CHECKING:
    from graphprofile.profiles import GraphProfile

FIRST_CHUNK, LARGEST_CHUNK = 500, 5_000
MOST_CONDITIONS = 30
SAMPLE = 2_000
COMMON = 3
"""Times as many tags are looked at as are shown."""
COLUMNS = ("id", "events", "last_seen", "top_tags")
LEAST_USERS = 3
"""A tag of fewer of an audience says nothing of it."""


class Member(Document):
    """Somebody in an audience."""

    id: str
    properties: dict[str, Any]
    top_tags: list[str]
    events: int
    last_seen: str | None


class AudienceTag(Document):
    """A tag of an audience beside everybody's; shares are of the events on direct tags of its kind."""

    kind: str
    tag: str
    users: int
    share: float
    everybody: float
    lift: float


@dataclass(frozen=True)
class Size:
    """How many there are.

    Attributes:
        count: In the audience.
        of: Users in all.
        sample: Ids of some of them, drawn at random; none where the audience is everybody.
    """

    count: int
    of: int
    sample: list[str]

    @property
    def share(self) -> float:
        """Part of all users."""
        return self.count / self.of if self.of else 0.0


class Audience:
    """The people who meet all of some conditions, one of others, and none of yet others.

    Args:
        gp: The graph.
        all_of: Each must hold; see :mod:`graphprofile.audience.conditions`.
        any_of: One must hold, where there are any.
        none_of: None may hold.
        resolver: Has made some of them ready already.

    Raises:
        UsageError: A condition cannot be read, names an unknown property or event type, or there are too many.
        NotFound: There is no such tag or user.
        NoModel: People alike are asked for, and nothing has been trained yet.
    """

    def __init__(
        self,
        gp: GraphProfile,
        all_of: Sequence[Condition | str] = (),
        any_of: Sequence[Condition | str] = (),
        none_of: Sequence[Condition | str] = (),
        resolver: Resolver | None = None,
    ) -> None:
        groups = [[all_of] if isinstance(all_of, str) else all_of]
        groups += [[one] if isinstance(one, str) else one for one in (any_of, none_of)]
        read = [[parse(one) if isinstance(one, str) else one for one in group] for group in groups]
        if sum(map(len, read)) > MOST_CONDITIONS:
            raise UsageError(f"An audience has {MOST_CONDITIONS} conditions at most.", "Leave some out.")
        self.all_of, self.any_of, self.none_of = read
        self._gp, self._store = gp, gp.store
        resolver = resolver or Resolver(gp)
        self._all, self._any, self._none = ([resolver.step(one) for one in group] for group in read)

    @property
    def everybody(self) -> bool:
        """Whether there is no condition."""
        return not (self.all_of or self.any_of or self.none_of)

    def words(self) -> str:
        """All conditions in one sentence."""
        parts = [one.words() for one in self.all_of]
        if self.any_of:
            parts.append(" or ".join(one.words() for one in self.any_of))
        said = ", and ".join(parts)
        without = " or ".join(one.words() for one in self.none_of)
        if not said and not without:
            return "Everybody."
        if not without:
            return f"People who {said}."
        return f"People who {said}, but not those who {without}." if said else f"People who never {without}."

    def ids(self, after: str = "") -> Iterator[str]:
        """Ids in their order, after one; close the iterator where it is left before its end."""
        for part in self._parts(after):
            yield from part

    def page(self, limit: int, after: str = "") -> list[Member]:
        """The first people after an id."""
        return self.describe(self.first(limit, after))

    def first(self, limit: int, after: str = "") -> list[str]:
        """The first ids after one."""
        ids = self.ids(after)
        with closing(ids):  # type: ignore[type-var]
            return list(islice(ids, limit))

    def table(self, hidden: Collection[str] = (), after: str = "") -> Iterator[list[Any]]:
        """Everybody as rows, the names of the columns first; in parts, so that any number may come.

        Args:
            hidden: Properties to be left out.
            after: An id.
        """
        columns = self.columns(hidden)
        yield columns
        for part in self._parts(after):
            for ids in chunks(part, FIRST_CHUNK):
                yield from self.rows(self.describe(ids), columns)

    def columns(self, hidden: Collection[str] = ()) -> list[str]:
        """The columns of a table of people: what everybody has, then the properties that some have."""
        rows = self._store.read("audience/list_properties")
        names = {row["name"] for row in rows} - SYSTEM_PROPERTIES - set(hidden)
        return [*COLUMNS, *sorted(names - set(COLUMNS))]

    @staticmethod
    def rows(members: Sequence[Member], columns: Sequence[str]) -> Iterator[list[Any]]:
        """People as rows of these columns."""
        for one in members:
            own = {"id": one.id, "top_tags": one.top_tags, "events": one.events, "last_seen": one.last_seen}
            yield [own[name] if name in own else one.properties.get(name) for name in columns]

    def describe(self, ids: Sequence[str]) -> list[Member]:
        """What a list says of people."""
        if not ids:
            return []
        rows = self._store.read(
            "audience/describe_users", event_types=self._gp.computed_rules.types, ids=list(ids)
        )
        return [
            Member(
                id=row["id"],
                properties=plain(
                    {name: value for name, value in row["properties"].items() if value is not None},
                    SYSTEM_PROPERTIES,
                ),
                top_tags=row["properties"].get("top_tags") or [],
                events=row["events"],
                last_seen=iso(row["last_at"]),
            )
            for row in sorted(rows, key=lambda row: str(row["id"]))
        ]

    def count(self) -> int:
        """How many there are."""
        if self.everybody:
            return count_users(self._store)
        return sum(map(len, self._parts("")))

    def measure(self, sample: int = SAMPLE) -> Size:
        """How many there are, of how many, and some of them."""
        if self.everybody:
            # Whose tags would be compared with themselves; and nobody waits for a walk through all of them.
            users = count_users(self._store)
            return Size(users, users, [])
        drawn: list[str] = []
        count, choose = 0, random.Random(0)  # nosec B311 - a sample for a figure, the same each time
        for part in self._parts(""):
            for id_ in part:
                count += 1
                if len(drawn) < sample:
                    drawn.append(id_)
                elif (place := choose.randrange(count)) < sample:
                    drawn[place] = id_
        return Size(count, count_users(self._store), drawn)

    def tags(self, ids: Sequence[str], limit: int = 12) -> list[AudienceTag]:
        """What some of the audience are interested in more than everybody is, by lift.

        The lift is a profile's: a share of events over everybody's smoothed share.

        Args:
            ids: Of people, such as the sample of :meth:`measure`.
            limit: At most so many.
        """
        if not ids:
            return []
        rows = self._store.read("audience/count_tags", ids=list(ids))
        kinds = {row["kind"]: row for row in self._store.read("audience/read_kinds")}
        totals: dict[str, int] = {}
        for row in rows:
            totals[row["kind"]] = totals.get(row["kind"], 0) + row["events"]
        found = []
        least = max(LEAST_USERS, len(ids) // 33) if len(ids) >= 10 * LEAST_USERS else 1
        for row in rows:
            kind = kinds.get(row["kind"])
            if row["users"] < least or kind is None or not totals[row["kind"]]:
                continue
            share = row["events"] / totals[row["kind"]]
            everybody = (row["everybody"] + 1) / (kind["events"] + kind["tags"])
            found.append(
                AudienceTag(
                    kind=row["kind"],
                    tag=row["name"],
                    users=row["users"],
                    share=significant(share),
                    everybody=significant(everybody),
                    lift=significant(share / everybody),
                )
            )
        # Of the commonest ones: what few of them care about is a chance, however large its lift.
        common = sorted(found, key=lambda tag: (-tag.users, tag.kind, tag.tag))[: limit * COMMON]
        return sorted(common, key=lambda tag: (-tag.lift, -tag.users, tag.kind, tag.tag))[:limit]

    def _parts(self, after: str) -> Iterator[list[str]]:
        """Lists of ids in their order, until nobody is left."""
        first = min((step for step in self._all if step.find), key=lambda step: step.cost, default=None)
        wheres = [step.where for step in self._all if step.where is not None]
        done = {id(step) for step in self._all if step.where is not None}
        if first is not None and first.find is not None:
            found, done = first.find(after), {id(first)} if first.exact else set()
        else:
            found = ids_of(self._store.stream("audience/list_users", after=after, conditions=wheres))
        rest = [step for step in self._all if id(step) not in done]
        size = FIRST_CHUNK
        with closing(found):  # type: ignore[type-var]
            while part := list(islice(found, size)):
                kept = self._kept(part, rest)
                if kept:
                    yield kept
                size = min(size * 2, LARGEST_CHUNK)

    def _kept(self, part: list[str], rest: Sequence[Step]) -> list[str]:
        for step in rest:
            met = step.keep(part) if part else set()
            part = [id_ for id_ in part if id_ in met]
        if self._any:
            met = set()
            for step in self._any:
                met |= step.keep([id_ for id_ in part if id_ not in met])
            part = [id_ for id_ in part if id_ in met]
        for step in self._none:
            met = step.keep(part) if part else set()
            part = [id_ for id_ in part if id_ not in met]
        return part


def properties_of(conditions: Sequence[Condition | str]) -> list[str]:
    """Names of the properties that conditions ask about."""
    read = [parse(one) if isinstance(one, str) else one for one in conditions]
    return [split_condition(one.where)[0] for one in read if isinstance(one, Property)]


def users_of(conditions: Sequence[Condition | str]) -> list[str]:
    """Ids of the people whom conditions name."""
    read = [parse(one) if isinstance(one, str) else one for one in conditions]
    return [user for one in read if isinstance(one, Like) for user in one.users]
