"""What forms begin with: values under which this graph has something to show, chosen from a sample of its events."""

from __future__ import annotations

import time
import weakref
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from graphprofile.insights import NEWEST, Insight, InsightParameter, base_type
from graphprofile.reading import watermark
from graphprofile.records import iso

if TYPE_CHECKING:
    from graphprofile.profiles import GraphProfile
    from graphprofile.store import Store

SAMPLE = 10_000
KEPT_SECONDS = 300.0
DAY_MS = 86_400_000
ENOUGH = 0.02
"""Part of the events that a window must hold to be worth asking about."""
LATE = 0.9
"""Where the newest events are few and far, a question is asked as of the time by which this part had come."""
MORE_DAYS = (365, 1_825)


@dataclass(frozen=True)
class Sample:
    """What a graph is like.

    Attributes:
        types: Names of event types there are, the commonest first.
        items: Ids of items, the busiest first.
        pair: Two people who dealt with the same thing.
        tags: ``kind:name``, the busiest first.
        kinds: Of tags.
        times: Of the sampled events, epoch ms, sorted.
        newest: Newest event of all.
        labels: Kinds of node that events are on.
        most_people: On one thing within a year that has enough events.
    """

    types: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    pair: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    newest: int | None = None
    labels: set[str] = field(default_factory=set)
    most_people: int = 0

    def part_within(self, since: float, until: float) -> float:
        """Part of the events that lie there."""
        return sum(since < ts <= until for ts in self.times) / max(1, len(self.times))

    def window(self, days: float) -> tuple[float, int | None]:
        """A length in days, at least this one, and an end (None for the newest event), that hold enough events."""
        if not self.times or self.newest is None:
            return days, None
        late = self.times[int(LATE * (len(self.times) - 1))]
        for end in (self.newest, late):
            for length in (days, *(more for more in MORE_DAYS if more > days)):
                if length > MORE_DAYS[0] and end == self.newest:
                    continue
                if self.part_within(end - length * DAY_MS, end) >= ENOUGH:
                    return length, None if end == self.newest else end
        return days, None


_kept: weakref.WeakKeyDictionary[Store, tuple[float, Sample]] = weakref.WeakKeyDictionary()


def sample_of(gp: GraphProfile) -> Sample:
    """A graph's sample; taken again after some minutes."""
    kept = _kept.get(gp.store)
    if kept and time.monotonic() - kept[0] < KEPT_SECONDS:
        return kept[1]
    found = _sample(gp)
    if found.times:
        _kept[gp.store] = time.monotonic(), found
    return found


def _sample(gp: GraphProfile) -> Sample:
    store, names = gp.store, gp.vocabulary.name_of
    rows = store.read("browse/sample_events", event_types=gp.vocabulary.types, limit=SAMPLE)
    items = Counter(row["object"] for row in rows if row["label"] == "Item")
    users: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        users[row["object"]][row["user"]] += 1
    busy = [id_ for id_, _ in items.most_common(20)]
    pair = next((list(users[id_]) for id_ in busy if len(users[id_]) > 1), sorted({r["user"] for r in rows}))
    found = Sample(
        types=[names.get(type_, type_) for type_, _ in Counter(row["type"] for row in rows).most_common()],
        items=busy,
        pair=pair[:2],
        tags=[f"{row['kind']}:{row['name']}" for row in store.read("browse/list_busy_tags", limit=10)],
        kinds=[row["kind"] for row in store.read("browse/list_tag_kinds")],
        times=sorted(row["ts"] for row in rows),
        newest=watermark(store),
        labels={row["label"] for row in rows},
    )
    days, end = found.window(MORE_DAYS[0])
    until = end if end is not None else found.newest or 0
    people = {(row["object"], row["user"]) for row in rows if until - days * DAY_MS < row["ts"] <= until}
    most = Counter(object_ for object_, _ in people).most_common(1)
    return replace(found, most_people=most[0][1] if most else 0)


def starting_values(insight: Insight, sample: Sample) -> dict[str, list[str]]:
    """Values that a form begins with, by parameter; nothing where the declared default will do."""
    values: dict[str, list[str]] = {}
    people, things, tags = list(sample.pair), list(sample.items), list(sample.tags)
    ends: set[int | None] = set()
    missing = [one for one in sample.types]
    for one in insight.parameters:
        base = base_type(one.type)
        if one.default is None and base in ("user id", "item id", "tag"):
            left = {"user id": people, "item id": things, "tag": tags}[base]
            if left:
                values[one.name] = [left.pop(0)]
        elif base == "event type" and one.default not in ("any", *sample.types) and missing:
            taken = {value for given in values.values() for value in given}
            values[one.name] = [next((name for name in missing if name not in taken), str(one.default))]
        elif base == "event types" and not set(str(one.default).split()) & set(sample.types) and missing:
            values[one.name] = (missing * 2)[: max(2, min(3, len(missing)))]
        elif _is_window(one):
            days, end = sample.window(float(one.default or 0))
            ends.add(end)
            if days != float(one.default or 0):
                values[one.name] = [f"{days:g}"]
        elif one.name == "kind" and "content item" in one.type and "Content" not in sample.labels:
            values[one.name] = ["item"]
        elif one.name == "by" and one.default == "follows" and "User" not in sample.labels:
            values[one.name] = ["interests"]
        elif one.name == "min_users" and int(one.default or 0) > sample.most_people > 0:
            values[one.name] = [str(max(2, sample.most_people // 2))]
    values |= _end(insight.parameters, ends, sample)
    return values


def _is_window(one: InsightParameter) -> bool:
    """Whether a parameter says how many days up to ``as_of`` count."""
    return one.name == "days" or (one.name == "window_days" and "each window" in one.text)


def _end(
    parameters: Sequence[InsightParameter], ends: set[int | None], sample: Sample
) -> dict[str, list[str]]:
    """An ``as_of`` for the windows chosen, and for questions that have only that."""
    takes = any(
        one.name == "as_of" and one.default == NEWEST and "not before" not in one.type for one in parameters
    )
    if not takes:
        return {}
    late = next(iter(ends - {None}), None) if ends else sample.window(MORE_DAYS[0])[1]
    return {"as_of": [(iso(late) or "")[:10]]} if late is not None else {}
