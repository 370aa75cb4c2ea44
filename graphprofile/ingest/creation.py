"""Events as columns, and what can be done with many of them inside a transaction: compare, create, claim.

Columns go to the engine as they are, one list each: no object is made for a row on either side.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import orjson
import polars as pl

from graphprofile.ingest.check import EVENT_SCHEMA
from graphprofile.ingest.events import SHORT_HASH, EventRow, known_hashes, touch_users

if TYPE_CHECKING:
    from graphprofile.store import Store, Transaction

Standing = Literal["new", "same", "other"]
"""Of an event: not stored, stored with that content, stored with another."""

_MERGE_OBJECTS = {"item": "load/merge_items", "content": "load/merge_contents", "user": "load/merge_users"}
_CREATE = {
    "item": ("load/create_events_on_item", "load/create_events_with_properties_on_item"),
    "content": ("load/create_events_on_content", "load/create_events_with_properties_on_content"),
    "user": ("load/create_events_on_user", "load/create_events_with_properties_on_user"),
}


def as_frame(rows: Iterable[EventRow]) -> pl.DataFrame:
    """Rows as columns."""
    return pl.DataFrame(list(rows), schema=EVENT_SCHEMA, orient="row")


def as_rows(frame: pl.DataFrame) -> list[EventRow]:
    """Columns as rows."""
    return list(map(EventRow._make, frame.select(EventRow._fields).iter_rows()))


def standings(
    store: Store, tx: Transaction, events: pl.DataFrame, *, wide: bool
) -> dict[Standing, pl.DataFrame]:
    """Events by what they are to what is stored, in their order.

    Args:
        store: Tells whether its engine looks relationships up.
        tx: The transaction.
        events: No key in them twice.
        wide: As for :func:`graphprofile.ingest.events.known_hashes`.
    """
    if not store.looks_up_relationships:
        rows = as_rows(events)
        known = known_hashes(store, tx, rows, wide=wide)
        stored = pl.Series([known.get(row.key) for row in rows], dtype=pl.String)
        missing, same = stored.is_null(), (stored == events["hash"]).fill_null(False)
        return {
            "new": events.filter(missing),
            "same": events.filter(same),
            "other": events.filter(~missing & ~same),
        }
    parts: dict[Standing, list[pl.DataFrame]] = {"new": [], "same": [], "other": []}
    for event_type, typed in _by_type(events):
        found = tx.run(
            "load/compare_events",
            event_types=(event_type,),
            ids=typed["event_id"].to_list(),
            hashes=typed["hash"].to_list(),
        )[0]
        same, other = pl.Series(found["same"], dtype=pl.Int64), pl.Series(found["other"], dtype=pl.Int64)
        at = pl.int_range(typed.height, eager=True)
        parts["same"].append(typed.filter(at.is_in(same.implode())))
        parts["other"].append(typed.filter(at.is_in(other.implode())))
        parts["new"].append(typed.filter(~at.is_in(pl.concat([same, other]).implode())))
    return {name: pl.concat(frames) if frames else events.clear() for name, frames in parts.items()}


def create_events(tx: Transaction, events: pl.DataFrame, batch: str) -> None:
    """Create events that are not there, and the nodes they name; raises the revision of their users.

    Args:
        tx: The transaction.
        events: No key in them twice.
        batch: The batch that brings them.
    """
    # One order for all loaders: whoever waits for a node holds none that comes after it.
    touch_users(tx, events["user_id"].unique().to_list())
    merge_objects(tx, events)
    groups = events.sort("user_id", maintain_order=True).partition_by(
        "type", "object_kind", maintain_order=True, as_dict=True
    )
    for (event_type, kind), group in sorted(groups.items()):
        for with_properties in (False, True):
            chosen = group.filter(pl.col("properties").is_not_null() == with_properties)
            if chosen.height:
                _create(tx, str(event_type), str(kind), chosen, batch, with_properties)


def _create(
    tx: Transaction, event_type: str, kind: str, events: pl.DataFrame, batch: str, with_properties: bool
) -> None:
    users, user_at = _numbered(events["user_id"])
    objects, object_at = _numbered(events["object_id"])
    own: dict[str, Any] = {}
    if with_properties:
        own["properties"] = [orjson.loads(text) for text in events["properties"]]
    tx.run(
        _CREATE[kind][with_properties],
        event_types=(event_type,),
        users=users,
        objects=objects,
        user_at=user_at,
        object_at=object_at,
        ids=events["event_id"].to_list(),
        ts=events["ts"].to_list(),
        hashes=events["hash"].to_list(),
        values=events["value"].to_list(),
        precisions=events["ts_precision"].to_list(),
        batch=batch,
        **own,
    )


def _numbered(ids: pl.Series) -> tuple[list[str], list[int]]:
    """The distinct ids, and the place of each one among them."""
    distinct = ids.unique().sort()
    return distinct.to_list(), ids.cast(pl.Enum(distinct)).to_physical().to_list()


def merge_objects(tx: Transaction, events: pl.DataFrame) -> None:
    """Create the objects of events where they are missing."""
    for kind in events["object_kind"].unique().sort():
        ids = events.filter(pl.col("object_kind") == kind)["object_id"].unique().sort()
        tx.run(_MERGE_OBJECTS[kind], ids=ids.to_list())


def as_claim(events: pl.DataFrame, *, hashes: bool = False) -> dict[str, dict[str, list[str]]]:
    """Keys and users of events by type, as a part of a batch keeps them; with the begin of each hash if asked."""
    claim = {}
    for event_type, typed in _by_type(events):
        claim[event_type] = {"users": typed["user_id"].to_list(), "ids": typed["event_id"].to_list()}
        if hashes:
            claim[event_type]["hashes"] = typed["hash"].str.slice(0, SHORT_HASH).to_list()
    return claim


def _by_type(events: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    parts = events.partition_by("type", maintain_order=True, as_dict=True)
    return [(str(event_type), typed) for (event_type,), typed in parts.items()]
