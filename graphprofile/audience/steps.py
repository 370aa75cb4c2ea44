"""Conditions made ready to be asked: what each looks up, where it can begin, and how it looks at candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphprofile import filters
from graphprofile.audience.conditions import Condition, Did, Interest, Like, Property, Seen
from graphprofile.errors import UsageError
from graphprofile.reading import resolve_tag, watermark
from graphprofile.tags import rate_per_ms

if TYPE_CHECKING:
    from graphprofile.profiles import GraphProfile

EVERYBODY = 1 << 62
Find = Callable[[str], Iterator[str]]
Keep = Callable[[list[str]], set[str]]


@dataclass(frozen=True)
class Step:
    """A condition ready to be asked.

    Attributes:
        keep: Which of some ids meet it.
        find: All ids that may meet it, sorted, after one; None where that is everybody.
        cost: About how many ids ``find`` gives.
        exact: Whether whoever is found meets it.
        where: The same as a condition on a property, which a list of all users can take.
    """

    keep: Keep
    find: Find | None = None
    cost: int = EVERYBODY
    exact: bool = False
    where: dict[str, Any] | None = None


class Resolver:
    """Makes conditions ready to be asked of one graph, each once: what it looks up is what was there then."""

    def __init__(self, gp: GraphProfile) -> None:
        self._gp, self._store = gp, gp.store
        self._rules = gp.computed_rules
        self._newest = watermark(gp.store)
        self._steps: dict[Condition, Step] = {}

    def step(self, condition: Condition) -> Step:
        """One condition, its tags, properties and people looked up.

        Raises:
            UsageError: It names an unknown event type or property.
            NotFound: There is no such tag or user.
            NoModel: Nothing has been trained yet.
        """
        if condition not in self._steps:
            self._steps[condition] = self._resolved(condition)
        return self._steps[condition]

    def _resolved(self, condition: Condition) -> Step:
        if isinstance(condition, Interest):
            return self._interest(condition)
        if isinstance(condition, Property):
            return self._property(condition)
        if isinstance(condition, Did):
            return self._did(condition)
        if isinstance(condition, Seen):
            since, until = condition.when.bounds(self._newest)
            asked = {"first": condition.which == "first", "since": since, "until": until}
            return Step(self._keeping("audience/filter_seen", event_types=self._rules.types, **asked))
        if isinstance(condition, Like):
            ids = sorted(self._gp.models.nearest_users(condition.users, condition.k))
            met = set(ids)
            return Step(
                lambda part: met.intersection(part),
                lambda after: (id_ for id_ in ids if id_ > after),
                cost=len(ids),
                exact=True,
            )
        model = self._gp.models.in_use() if self._gp.has_rules else None
        return Step(self._keeping("audience/filter_vectors", status=condition.status, model=model or ""))

    def _keeping(self, query: str, **asked: Any) -> Keep:
        def keep(ids: list[str]) -> set[str]:
            return {row["id"] for row in self._store.read(query, ids=ids, **asked)} if ids else set()

        return keep

    def _interest(self, condition: Interest) -> Step:
        kind, name = resolve_tag(self._store, condition.tag)
        rate = rate_per_ms(self._rules.half_life_long_days)
        tag = {"kind": kind, "name": name, "long_rate": rate}
        least = {
            "least_score": condition.score,
            "least_share": condition.share,
            "as_of": self._newest or 0,
        }
        keep = self._keeping("audience/filter_interested", **tag, **least)
        if condition.top is not None:
            strongest, interested = self._keeping("audience/filter_top_tag", **tag, top=condition.top), keep
            keep = lambda ids: strongest(sorted(interested(ids)))  # noqa: E731
        return Step(
            keep,
            self._finding("audience/find_interested", tag | least),
            cost=self._interested(kind, name),
            exact=condition.top is None,
        )

    def _interested(self, kind: str, name: str) -> int:
        return int(self._store.read("audience/count_interest", kind=kind, name=name)[0]["events"])

    def _property(self, condition: Property) -> Step:
        where = filters.property_condition(self._store, condition.where, filters.OF_USERS)
        return Step(self._keeping("audience/filter_users", conditions=[where]), where=where)

    def _did(self, condition: Did) -> Step:
        types: Sequence[str] = self._rules.types
        if condition.event is not None:
            types = (self._event_type(condition.event),)
        since, until = condition.when.bounds(self._newest)
        asked = {"event_types": types, "since": since, "until": until, "times": condition.times}
        tags = None if condition.tag is None else filters.at_or_below(self._store, condition.tag)
        keep = self._keeping(
            "audience/filter_doers",
            item=condition.item,
            tags=None if tags is None else [f"{kind}:{name}" for kind, name in tags],
            **asked,
        )
        if condition.item is not None:
            found: dict[str, Any] = {"item": condition.item}
            return Step(
                keep, self._finding("audience/find_doers_of_item", found | asked), cost=0, exact=tags is None
            )
        if tags is not None:
            found = {"tags": [list(tag) for tag in tags]}
            cost = sum(self._interested(kind, name) for kind, name in tags[:1])
            return Step(
                keep, self._finding("audience/find_doers_of_tags", found | asked), cost=cost, exact=True
            )
        return Step(keep)

    def _finding(self, query: str, asked: dict[str, Any]) -> Find:
        return lambda after: ids_of(self._store.stream(query, after=after, **asked))

    def _event_type(self, name: str) -> str:
        rule = self._rules.events.get(name)
        if rule is None:
            known = ", ".join(sorted(self._rules.events))
            raise UsageError(f"Unknown event type {name!r}.", f"Known: {known}.")
        return rule.type


def ids_of(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """The ids of a stream, which is closed with it."""
    with closing(rows):  # type: ignore[type-var]
        for row in rows:
            yield row["id"]
