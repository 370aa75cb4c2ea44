"""Events that were withdrawn: they keep their content as a node of their own, and no replay brings them back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson

from graphprofile.ingest.events import EventRow, Key, Stored

if TYPE_CHECKING:
    from graphprofile.store import Transaction


def find_retracted(tx: Transaction, keys: Iterable[Key]) -> dict[Key, Stored | None]:
    """Which of these events are withdrawn, with the content that is kept of each; None while nobody brought it."""
    found: dict[Key, Stored | None] = {}
    for event_type, ids in _by_type(keys).items():
        for record in tx.run("load/find_retracted", type=event_type, ids=ids):
            found[event_type, record["event_id"]] = as_stored(event_type, record["event_id"], record["event"])
    return found


def anything_retracted(tx: Transaction) -> bool:
    """Whether any event was ever withdrawn."""
    return bool(tx.run("load/find_some_retracted"))


def keep_content(tx: Transaction, events: Iterable[Stored]) -> None:
    """Keep the content of withdrawn events, so that the withdrawal can be undone."""
    rows = [
        [
            *(event.row.type, event.row.event_id, event.row.hash),
            orjson.dumps([*event.row, event.batch]).decode(),
            *(event.row.user_id, event.row.object_kind, event.row.object_id),
        ]
        for event in events
    ]
    if rows:
        tx.run("load/keep_retracted", rows=rows)


def forget_content(tx: Transaction, keys: Iterable[Key]) -> None:
    """The events stay withdrawn, but nobody has brought their content any more."""
    rows = [[*key, None, None, None, None, None] for key in keys]
    if rows:
        tx.run("load/keep_retracted", rows=rows)


def as_stored(event_type: str, event_id: str, event: str | None) -> Stored | None:
    """What :func:`keep_content` kept."""
    if event is None:
        return None
    fields: list[Any] = orjson.loads(event)
    return Stored(EventRow(*fields[:-1]), fields[-1])


def _by_type(keys: Iterable[Key]) -> dict[str, list[str]]:
    typed: dict[str, list[str]] = defaultdict(list)
    for event_type, event_id in keys:
        typed[event_type].append(event_id)
    return {event_type: sorted(set(ids)) for event_type, ids in typed.items()}
