"""The digest: one number that is equal where two graphs hold the same, on whichever engine.

SHA-256 of each canonical record, summed modulo 2²⁵⁶, so that no order matters and nothing has to be sorted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from graphprofile.errors import GraphProfileError
from graphprofile.ingest.canonical import canonical_value
from graphprofile.records import SYSTEM_PROPERTIES
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.store import Store

_PROVENANCE = frozenset({"batch", "hash", "flags"})
"""``flags`` says how an event looked beside the others of its file, which another file may see otherwise."""
_NODES = (("User", "digest/read_users"), ("Item", "digest/read_items"), ("Content", "digest/read_contents"))


def digest(store: Store, vocabulary: Vocabulary) -> str:
    """The digest of a graph, 64 hex digits.

    Counts: users, items, content and tags with their source properties; HAS_TAG and PART_OF; events with type,
    ends, id, time, value and declared properties; of interests the exact fields. Tags that nothing refers to and
    nobody described are left out: they are traces of descriptions that were overtaken.

    Raises:
        GraphProfileError: A property is NaN or infinite, which nothing loaded can be: equal to nothing, itself
            included.
    """
    total = 0
    for record in _records(store, vocabulary):
        try:
            canonical = canonical_value(record)
        except ValueError as error:
            where = " ".join(part for part in record if isinstance(part, str))
            raise GraphProfileError(
                f"{where}: a property cannot be compared: {error}.",
                "Set it to a finite number or remove it, with a Cypher query of your own.",
            ) from error
        total += int.from_bytes(sha256(canonical.encode()).digest(), "big")
    return f"{total % (1 << 256):064x}"


def _records(store: Store, vocabulary: Vocabulary) -> Iterator[list[Any]]:
    for label, query in _NODES:
        for row in store.stream(query):
            yield ["node", label, row["id"], _source(row["properties"])]
    used = set()
    for row in store.stream("tags/read_item_tags"):
        used.add((row["kind"], row["name"]))
        yield ["has_tag", row["object_kind"], row["object_id"], row["kind"], row["name"], row["weight"]]
    for row in store.stream("tags/read_hierarchy"):
        used |= {(row["kind"], row["name"]), (row["broader_kind"], row["broader_name"])}
        yield ["part_of", row["kind"], row["name"], row["broader_kind"], row["broader_name"]]
    for row in store.stream("digest/read_tags"):
        properties = row["properties"]
        if (row["kind"], row["name"]) in used or properties.get("described") is not None:
            yield ["tag", row["kind"], row["name"], _source(properties, also=("name",))]
    for row in store.stream("digest/read_events", event_types=vocabulary.types):
        properties = {
            name: value
            for name, value in row["properties"].items()
            if name not in _PROVENANCE and value is not None
        }
        yield ["event", row["type"], row["user_id"], row["object_kind"], row["object_id"], properties]
    for row in store.stream("digest/read_interests"):
        yield [
            "interest",
            row["user_id"],
            row["kind"],
            row["name"],
            row["events"],
            row["first_at"],
            row["last_at"],
        ]


def _source(properties: Mapping[str, Any], also: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        name: value
        for name, value in properties.items()
        if value is not None and name not in SYSTEM_PROPERTIES and name not in also
    }
