"""Events as rows, and what can be done with them inside a transaction: find, take away, hand over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from graphprofile.records import OBJECT_LABELS, Rejection, iso

if TYPE_CHECKING:
    from graphprofile.store import Store, Transaction

_KIND_OF = {label: kind for kind, label in OBJECT_LABELS.items()}
_OWN = frozenset({"event_id", "ts", "hash", "value", "ts_precision", "batch"})

CONFLICT = "conflict:"
"""What the reason of an event in conflict begins with."""
SHORT_HASH = 8
"""Digits of a hash that a claim keeps: enough to tell the few versions of one event apart."""

Key = tuple[str, str]
"""(relationship type, event id): what an event is known by."""


class EventRow(NamedTuple):
    """One checked event; the fields are the columns of :class:`graphprofile.records.EventChunk`.

    ``properties`` is JSON text or None, ``line`` that of the source, 0 for a row read back from the graph.
    """

    type: str
    event_id: str
    user_id: str
    object_id: str
    object_kind: str
    ts: int
    ts_precision: str | None
    value: float | None
    properties: str | None
    hash: str
    line: int = 0

    @property
    def key(self) -> Key:
        """What the event is known by."""
        return self.type, self.event_id


@dataclass(frozen=True)
class Stored:
    """An event as it lies in the graph, and the batch that brought it."""

    row: EventRow
    batch: str | None


def known_hashes(store: Store, tx: Transaction, rows: Iterable[EventRow], *, wide: bool) -> dict[Key, str]:
    """Hashes of the stored events among these, by key.

    Args:
        store: Tells whether its engine looks relationships up.
        tx: The transaction.
        rows: Which.
        wide: Find an event also where another user is said to have done it; costs a scan on an engine that does
            not look relationships up.
    """
    found: dict[Key, str] = {}
    for event_type, typed in _by_type(rows).items():
        if store.looks_up_relationships:
            records = tx.run("load/find_events", event_types=(event_type,), ids=_ids(typed))
        elif wide:
            records = [
                {"event_id": record["event_id"], "hash": record["properties"]["hash"]}
                for record in tx.run("load/scan_events", event_types=(event_type,), ids=_ids(typed))
            ]
        else:
            records = tx.run(
                "load/find_events_of_users",
                event_types=(event_type,),
                groups=_of_users(typed, lambda _: True),
            )
        found.update({(event_type, record["event_id"]): record["hash"] for record in records})
    return found


def read_stored(
    store: Store, tx: Transaction, rows: Iterable[EventRow], *, wide: bool = True
) -> dict[Key, Stored]:
    """The stored events with the keys of these rows, whole; ``wide`` as for :func:`known_hashes`."""
    found: dict[Key, Stored] = {}
    for event_type, typed in _by_type(rows).items():
        if store.looks_up_relationships:
            records = tx.run("load/read_events", event_types=(event_type,), ids=_ids(typed))
        elif wide:
            records = tx.run("load/scan_events", event_types=(event_type,), ids=_ids(typed))
        else:
            records = tx.run(
                "load/read_events_of_users",
                event_types=(event_type,),
                groups=_of_users(typed, lambda _: True),
            )
        for record in records:
            found[event_type, record["event_id"]] = _stored(event_type, record)
    return found


def touch_users(tx: Transaction, users: Iterable[str]) -> None:
    """Create users where they are missing and raise the revision of all, in one order."""
    ordered = sorted(users)
    if ordered:
        tx.run("load/touch_users", user_ids=ordered)


def merge_users(tx: Transaction, rows: Iterable[EventRow]) -> None:
    """Create the users of events where they are missing; nothing of theirs changes."""
    tx.run("load/merge_users", ids=sorted({row.user_id for row in rows}))


def delete_events(tx: Transaction, rows: Iterable[EventRow]) -> None:
    """Take stored events away and raise the revision of their users."""
    rows = list(rows)
    touch_users(tx, {row.user_id for row in rows})
    for event_type, typed in _by_type(rows).items():
        tx.run("load/delete_events", event_types=(event_type,), groups=_of_users(typed, lambda _: True))


def hand_over_events(tx: Transaction, rows: Iterable[EventRow], batches: Mapping[Key, str]) -> None:
    """Note another batch as the one that brought each of these events first."""
    for event_type, typed in _by_type(rows).items():
        tx.run(
            "load/hand_over_events",
            event_types=(event_type,),
            groups=_of_users(typed, lambda row: batches[row.key]),
        )


def conflict_report(
    row: EventRow, other: Stored | None, source: str, event_name: str, outcome: str
) -> Rejection:
    """A rejection that shows both versions of an event.

    Args:
        row: The version that came.
        other: The one that is stored, None for a row before it in the same source.
        source: File name.
        event_name: Name of the event in the vocabulary.
        outcome: What became of them.
    """
    if other is None:
        version = "a row before it in this source has other content"
    else:
        version = (
            f"stored by batch {other.batch}: user {other.row.user_id}, object {other.row.object_id}, "
            f"at {iso(other.row.ts)}, value {other.row.value}"
        )
    reason = (
        f"{CONFLICT} {row.type} {row.event_id!r} is already there with other content ({version}); {outcome}"
    )
    return Rejection(source, row.line, "event_id", reason, as_generic(row, event_name), checked=True)


def as_generic(row: EventRow, event_name: str) -> dict[str, Any]:
    """An event in the generic columns."""
    return {
        **(orjson.loads(row.properties) if row.properties else {}),
        "event_id": row.event_id,
        "event_type": event_name,
        "user_id": row.user_id,
        "object_id": row.object_id,
        "object_kind": row.object_kind,
        "timestamp": iso(row.ts),
        "value": row.value,
    }


def _stored(event_type: str, record: Mapping[str, Any]) -> Stored:
    properties = dict(record["properties"])
    extra = {name: value for name, value in properties.items() if name not in _OWN and value is not None}
    row = EventRow(
        event_type,
        record["event_id"],
        record["user_id"],
        record["object_id"],
        _KIND_OF[record["object_kind"]],
        properties["ts"],
        properties.get("ts_precision"),
        properties.get("value"),
        orjson.dumps(extra, option=orjson.OPT_SORT_KEYS).decode() if extra else None,
        properties["hash"],
    )
    return Stored(row, properties.get("batch"))


def _by_type(rows: Iterable[EventRow]) -> dict[str, list[EventRow]]:
    typed: dict[str, list[EventRow]] = defaultdict(list)
    for row in rows:
        typed[row[0]].append(row)
    return typed


def _ids(rows: Sequence[EventRow]) -> list[str]:
    return list({row[1] for row in rows})


def _of_users(rows: Iterable[EventRow], value: Callable[[EventRow], Any]) -> list[list[Any]]:
    groups: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in rows:
        groups[row.user_id][row.event_id] = value(row)
    return [[user, groups[user]] for user in sorted(groups)]
