"""Nodes and edges of a graph as they stream by, whoever writes them down."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from graphprofile.records import NETWORK_PROPERTIES, SYSTEM_PROPERTIES, Progress, chunks
from graphprofile.store.reading import plain

if TYPE_CHECKING:
    from graphprofile.store import Store
    from graphprofile.vocabulary import Vocabulary

# An engine collects a whole answer before its first row, so nobody asks it for everybody's events at once.
USERS_AT_ONCE = 2_000
LABELS = ("User", "Item", "Content", "Tag")
HAS_TAG, PART_OF, INTERESTED_IN = "HAS_TAG", "PART_OF", "INTERESTED_IN"

_HIDDEN = SYSTEM_PROPERTIES - {"kind", "top_tags"} - NETWORK_PROPERTIES
_PROVENANCE = frozenset({"batch", "hash"})

Key: TypeAlias = tuple[str, ...]
"""Label and id; of a tag its label, kind and name."""


class Node(NamedTuple):
    """A node with what the source and the analyses say of it: no vectors, nothing the system keeps for itself."""

    key: Key
    properties: dict[str, Any]


class Edge(NamedTuple):
    """A relationship; ``event`` tells events from the others."""

    type: str
    source: Key
    target: Key
    properties: dict[str, Any]
    event: bool = False


@dataclass
class GraphRows:
    """Everything in a graph, in any order, each time anew.

    Attributes:
        store: The graph.
        vocabulary: Declares the event types.
        events: Whether events come along.
        interests: Whether interests come along.
        progress: Called with (what, done, total).
        nodes_seen: How many nodes of each label came, the last time.
        edges_seen: How many relationships of each type came, the last time.
    """

    store: Store
    vocabulary: Vocabulary
    events: bool = True
    interests: bool = True
    progress: Progress | None = None
    nodes_seen: Counter[str] = field(default_factory=Counter)
    edges_seen: Counter[str] = field(default_factory=Counter)

    def nodes(self) -> Iterator[Node]:
        """All users, items, content and tags."""
        self.nodes_seen.clear()
        for row in self.store.stream("networks/read_nodes"):
            label = row["label"]
            self.nodes_seen[label] += 1
            key = (label, row["kind"], row["name"]) if label == "Tag" else (label, row["id"])
            yield Node(
                key,
                {
                    name: plain(value)
                    for name, value in sorted(row["properties"].items())
                    if value is not None and name not in _HIDDEN
                },
            )

    def edges(self) -> Iterator[Edge]:
        """All tags of things, the hierarchy of tags, and what was asked for of interests and events."""
        self.edges_seen.clear()
        for edge in self._edges():
            self.edges_seen[edge.type] += 1
            yield edge

    def _edges(self) -> Iterator[Edge]:
        for row in self.store.stream("networks/read_object_tags"):
            tag = ("Tag", row["kind"], row["name"])
            yield Edge(HAS_TAG, (row["label"], row["object"]), tag, {"weight": row["weight"]})
        for row in self.store.stream("networks/read_broader_tags"):
            tag, broader = (
                ("Tag", row["kind"], row["name"]),
                ("Tag", row["broader_kind"], row["broader_name"]),
            )
            yield Edge(PART_OF, tag, broader, {})
        if not self.events and not self.interests:
            return
        users = [row["user_id"] for row in self.store.stream("tags/list_users")]
        for done, some in enumerate(chunks(users, USERS_AT_ONCE)):
            if self.interests:
                yield from self._interests(some)
            if self.events:
                yield from self._events(some)
            if self.progress:
                self.progress("users", done * USERS_AT_ONCE + len(some), len(users))

    def _interests(self, users: Any) -> Iterator[Edge]:
        for row in self.store.stream("tags/read_interests", user_ids=users):
            named = ("short", "long", "events", "first_at", "last_at", "direct")
            yield Edge(
                INTERESTED_IN,
                ("User", row["user_id"]),
                ("Tag", row["kind"], row["name"]),
                {name: row[name] for name in named},
            )

    def _events(self, users: Any) -> Iterator[Edge]:
        rows = self.store.stream("exchange/read_events", event_types=self.vocabulary.types, user_ids=users)
        for row in rows:
            yield Edge(
                row["type"],
                ("User", row["user_id"]),
                (row["label"], row["object_id"]),
                {
                    name: plain(value)
                    for name, value in sorted(row["properties"].items())
                    if value is not None and name not in _PROVENANCE
                },
                event=True,
            )


def kind_of(value: Any) -> str:
    """``boolean``, ``long``, ``double``, or ``string`` for everything else."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "long"
    return "double" if isinstance(value, float) else "string"


def common_kind(kinds: set[str]) -> str:
    """The kind that values of all these kinds can be written as."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return "double" if kinds == {"long", "double"} else "string"


def as_text(value: Any) -> str:
    """A value as text; lists as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), repr(value))
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)
