"""Constraints and indexes of a graph, made where they are missing."""

from __future__ import annotations

import time
from collections.abc import Sequence

from graphprofile import queries
from graphprofile.errors import EngineError
from graphprofile.store.engines import Engine, Run

MOST_SECONDS = 600

UNIQUE = {
    ("User", ("id",)): "schema/create_user_id",
    ("Item", ("id",)): "schema/create_item_id",
    ("Content", ("id",)): "schema/create_content_id",
    ("Tag", ("kind", "name")): "schema/create_tag_kind_name",
    ("TagKind", ("kind",)): "schema/create_tag_kind",
    ("Batch", ("id",)): "schema/create_batch_id",
    ("BatchPart", ("id",)): "schema/create_batch_part_id",
    ("BatchLane", ("id",)): "schema/create_batch_lane_id",
    ("Retracted", ("type", "event_id")): "schema/create_retracted_type_event_id",
    ("Schema", ("id",)): "schema/create_schema_id",
    ("Model", ("version",)): "schema/create_model_version",
}
INDEXES = {
    ("User", ("tags_due",)): "schema/create_user_tags_due",
    ("User", ("embed_due",)): "schema/create_user_embed_due",
    ("Item", ("embed_due",)): "schema/create_item_embed_due",
    ("Content", ("embed_due",)): "schema/create_content_embed_due",
}


def create_schema(run: Run, engine: Engine, event_types: Sequence[str]) -> dict[str, int]:
    """Make what is missing; see :meth:`graphprofile.store.Store.create_schema`.

    Args:
        run: Runs a schema statement.
        engine: What it runs on.
        event_types: Relationship types whose ``event_id`` is unique.
    """
    types = tuple(dict.fromkeys(event_types))
    statements, online = _missing(run, types)
    until = time.monotonic() + MOST_SECONDS
    while statements:
        online = False
        engine.drop_unfinished(run)
        for statement in statements:
            run(statement, {})
        # What another process was making at that moment may have come to nothing.
        statements, _ = _missing(run, types)
        if statements and time.monotonic() > until:
            raise EngineError(
                f"{len(statements)} constraints and indexes are not made after {MOST_SECONDS} s: {statements[0]}",
                "See whether another process makes them (`SHOW TRANSACTIONS`), then start this one again.",
            )
        if statements:
            time.sleep(0.2)
    if not online:
        engine.await_indexes(run)
    return {"constraints": len(UNIQUE) + len(types), "indexes": len(INDEXES)}


def _missing(run: Run, types: Sequence[str]) -> tuple[list[str], bool]:
    """Statements that make what is not there, and whether all that is there can be used."""
    shown = run(queries.text("schema/show"), {})
    present = {(row["label"], tuple(row["properties"])) for row in shown}
    unique = {(row["label"], tuple(row["properties"])) for row in shown if row["unique"]}
    statements = [queries.text(name) for key, name in UNIQUE.items() if key not in unique]
    statements += [
        queries.text("schema/create_event_id", (event_type,))
        for event_type in types
        if (event_type, ("event_id",)) not in unique
    ]
    statements += [queries.text(name) for key, name in INDEXES.items() if key not in present]
    return statements, all(row["state"] == "ONLINE" for row in shown)
