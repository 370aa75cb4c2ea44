"""Which description of a node wins: per property the latest ``updated_at``, whatever the order they come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from graphprofile.ingest.canonical import canonical_value
from graphprofile.records import Description, Rejection

TAGS_KEY = "#tags"
"""Key of the direct tags (or broader tags) in ``described``; no property can have this name."""

TagKey: TypeAlias = tuple[str, str]
Broader: TypeAlias = dict[TagKey, set[TagKey]]


@dataclass
class State:
    """A node as its descriptions so far make it.

    Attributes:
        times: Property -> ``updated_at`` of the winner; of the tags also the tags themselves.
        properties: Values that stand.
        was_described: Whether anybody described it before.
        changed: Values that are new.
        tags_changed: Whether the tags are new.
        dirty: Whether anything has to be written.
        tied: Descriptions that said another thing of the same time, which no time decides.
    """

    times: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    was_described: bool = False
    changed: dict[str, Any] = field(default_factory=dict)
    tags_changed: bool = False
    dirty: bool = False
    tied: int = 0
    _ties: int = 0

    def take(self, properties: Mapping[str, Any], tags: Sequence[Any] | None, updated_at: int | None) -> bool:
        """Fold one description in; tell whether it said anything new."""
        before = self._ties
        taken = [self.offer(name, value, updated_at) for name, value in properties.items()]
        if tags is not None:
            taken.append(self.offer(TAGS_KEY, [list(tag) for tag in sorted(tags)], updated_at))
        news = any(taken) or not self.was_described
        self.dirty = self.dirty or news
        self.tied += self._ties > before
        self.was_described = True
        return news

    def offer(self, name: str, value: Any, updated_at: int | None) -> bool:
        """Take a value if it is later than what stands, or as late and larger; tell whether it was taken."""
        old_time = self.times.get(name)
        if name == TAGS_KEY and name in self.times:
            old_time, old_value = self.times[name]
        else:
            old_value = self.properties.get(name)
        if name in self.times and updated_at == old_time and value != old_value:
            self._ties += canonical_value(value) != canonical_value(old_value)
        if name in self.times and not later((updated_at, value), (old_time, old_value)):
            return False
        changed = name not in self.times or canonical_value(value) != canonical_value(old_value)
        moved = old_time != updated_at
        self.times[name] = [updated_at, value] if name == TAGS_KEY else updated_at
        if changed:
            if name == TAGS_KEY:
                self.tags_changed = True
            else:
                self.properties[name] = value
                self.changed[name] = value
        return changed or moved

    @property
    def tags(self) -> list[list[Any]]:
        """The tags that stand, as [kind, name, weight]."""
        standing: list[list[Any]] = self.times[TAGS_KEY][1] if TAGS_KEY in self.times else []
        return standing

    def described(self) -> str:
        """The node's ``described``: JSON of the winners' times."""
        return orjson.dumps(self.times, option=orjson.OPT_SORT_KEYS).decode()


def later(new: tuple[int | None, Any], old: tuple[int | None, Any]) -> bool:
    """Whether (time, value) comes after another: by time, then by the larger canonical value."""

    def rank(time: int | None, value: Any) -> tuple[bool, int, str]:
        return (time is not None, time or 0, canonical_value(value))

    return rank(*new) > rank(*old)


def tag_key(tag: str) -> TagKey:
    """Kind and name of ``kind:name``."""
    kind, _, name = tag.partition(":")
    return kind, name


def refuse_cycles(
    rows: Sequence[Description], broader: Broader, source: str
) -> tuple[list[Description], list[Rejection]]:
    """Take rows that would make a tag part of itself out.

    Args:
        rows: Descriptions of tags, in order.
        broader: All that the tags named by the rows are part of already; the rows kept are added.
        source: File name, for the rejections.

    Returns:
        The rows kept, and a rejection for each of the others.
    """
    kept, rejected = [], []
    for row in rows:
        key = tag_key(row.id)
        parents = {(kind, name) for kind, name, _ in row.tags or []}
        cycle = sorted(p for p in parents if p == key or key in reachable(p, broader))
        if cycle:
            reason = f"{row.id} would be part of itself through {':'.join(cycle[0])}; mend the hierarchy"
            rejected.append(Rejection(source, row.line, "part_of", reason, row.row, "tags"))
            continue
        broader.setdefault(key, set()).update(parents)
        kept.append(row)
    return kept, rejected


def reachable(start: TagKey, broader: Mapping[TagKey, set[TagKey]]) -> set[TagKey]:
    """All that a tag is part of, however far."""
    seen: set[TagKey] = set()
    waiting = [start]
    while waiting:
        for parent in broader.get(waiting.pop(), ()):
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return seen
