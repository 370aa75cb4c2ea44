"""Constraints and indexes of a graph, made where they are missing."""

from __future__ import annotations

from collections.abc import Sequence

from graphprofile import queries
from graphprofile.store.engines import Run

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


def create_schema(run: Run, engine: str, event_types: Sequence[str]) -> dict[str, int]:
    """Make what is missing; see :meth:`graphprofile.store.Store.create_schema`.

    Args:
        run: Runs a schema statement.
        engine: Name of the engine.
        event_types: Relationship types whose ``event_id`` is unique.
    """
    shown = run(queries.text("schema/show"), {})
    present = {(row["label"], tuple(row["properties"])) for row in shown}
    unique = {(row["label"], tuple(row["properties"])) for row in shown if row["unique"]}
    wanted = [queries.text(name) for key, name in UNIQUE.items() if key not in unique]
    types = tuple(dict.fromkeys(event_types))
    wanted += [
        queries.text("schema/create_event_id", (event_type,))
        for event_type in types
        if (event_type, ("event_id",)) not in unique
    ]
    wanted += [queries.text(name) for key, name in INDEXES.items() if key not in present]
    for statement in wanted:
        run(statement, {})
    if engine == "neo4j" and (wanted or any(row["state"] != "ONLINE" for row in shown)):
        run("CALL db.awaitIndexes(600)", {})
    return {"constraints": len(UNIQUE) + len(types), "indexes": len(INDEXES)}
