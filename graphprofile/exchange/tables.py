"""A folder of Parquet tables: one per kind of node, one per kind of edge."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprofile.errors import GraphProfileError
from graphprofile.exchange.rows import (
    HAS_TAG,
    INTERESTED_IN,
    LABELS,
    PART_OF,
    Edge,
    GraphRows,
    Node,
    as_text,
    common_kind,
    kind_of,
)
from graphprofile.parquet import parquet_file

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 10_000
FILES = {"User": "users", "Item": "items", "Content": "content", "Tag": "tags"}
_ID_COLUMNS = {
    "User": ("user_id",),
    "Item": ("item_id",),
    "Content": ("content_id",),
    "Tag": ("kind", "name"),
}
_EVENT_COLUMNS = ("event_id", "ts", "value")


def write_tables(rows: GraphRows, path: Path) -> None:
    """Write a graph as a folder of Parquet files, which appears when it is complete.

    ``users``, ``items``, ``content``, ``tags``: id (of a tag kind and name) and a column per property.
    ``events`` in generic columns, further properties as JSON in ``properties``; ``has_tag``, ``part_of``,
    ``interests``. Times are timestamps in UTC.

    Args:
        rows: The graph.
        path: The folder, which must not be there.

    Raises:
        GraphProfileError: A property got values of another kind while the graph was read.
        OSError: It cannot be written there.
    """
    scratch = path.with_name(f".{path.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        kinds = _kinds_of(rows.nodes())
        with _Tables(scratch) as tables:
            for label in LABELS:
                tables.open(FILES[label], _node_schema(label, kinds[label]))
            for node in rows.nodes():
                tables.add(FILES[node.key[0]], _node_row(node, kinds[node.key[0]]))
        with _Tables(scratch) as tables:
            for name, schema in _edge_schemas(rows).items():
                tables.open(name, schema)
            names = rows.vocabulary.name_of
            for edge in rows.edges():
                tables.add(*_edge_row(edge, names))
        scratch.rename(path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _kinds_of(nodes: Iterable[Node]) -> dict[str, dict[str, str]]:
    """Kind of value by property, of each label."""
    found: dict[str, dict[str, set[str]]] = {label: {} for label in LABELS}
    for node in nodes:
        for name, value in node.properties.items():
            kind = kind_of(value)
            if name.endswith("_at") and name.startswith("network_"):
                kind = "time"
            elif isinstance(value, list) and all(isinstance(part, str) for part in value):
                kind = "texts"
            found[node.key[0]].setdefault(name, set()).add(kind)
    return {
        label: {
            name: common_kind(kinds)
            for name, kinds in sorted(properties.items())
            if name not in _ID_COLUMNS[label]
        }
        for label, properties in found.items()
    }


def _node_schema(label: str, kinds: Mapping[str, str]) -> pa.Schema:
    import pyarrow as pa

    types = {
        "boolean": pa.bool_(),
        "long": pa.int64(),
        "double": pa.float64(),
        "string": pa.string(),
        "texts": pa.list_(pa.string()),
        "time": pa.timestamp("ms", tz="UTC"),
    }
    columns = [(name, pa.string()) for name in _ID_COLUMNS[label]]
    return pa.schema(columns + [(name, types[kind]) for name, kind in kinds.items()])


def _node_row(node: Node, kinds: Mapping[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(_ID_COLUMNS[node.key[0]], node.key[1:], strict=True))
    for name, value in node.properties.items():
        if name in kinds:
            row[name] = as_text(value) if kinds[name] == "string" else value
    return row


def _edge_schemas(rows: GraphRows) -> dict[str, pa.Schema]:
    import pyarrow as pa

    text, time = pa.string(), pa.timestamp("ms", tz="UTC")
    schemas = {
        "has_tag": [
            ("object_kind", text),
            ("object_id", text),
            ("kind", text),
            ("name", text),
            ("weight", pa.float64()),
        ],
        "part_of": [("kind", text), ("name", text), ("broader_kind", text), ("broader_name", text)],
    }
    if rows.interests:
        schemas["interests"] = [
            ("user_id", text),
            ("kind", text),
            ("name", text),
            ("short", pa.float64()),
            ("long", pa.float64()),
            ("events", pa.int64()),
            ("first_at", time),
            ("last_at", time),
            ("direct", pa.bool_()),
        ]
    if rows.events:
        schemas["events"] = [
            ("event_id", text),
            ("user_id", text),
            ("event_type", text),
            ("object_id", text),
            ("object_kind", text),
            ("timestamp", time),
            ("value", pa.float64()),
            ("properties", text),
        ]
    return {name: pa.schema(columns) for name, columns in schemas.items()}


def _edge_row(edge: Edge, names: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The table an edge belongs to, and its row."""
    if edge.event:
        more = {name: value for name, value in edge.properties.items() if name not in _EVENT_COLUMNS}
        return "events", {
            "event_id": edge.properties.get("event_id"),
            "user_id": edge.source[1],
            "event_type": names.get(edge.type, edge.type),
            "object_id": edge.target[1],
            "object_kind": edge.target[0].lower(),
            "timestamp": edge.properties.get("ts"),
            "value": edge.properties.get("value"),
            "properties": json.dumps(more, ensure_ascii=False) if more else None,
        }
    if edge.type == INTERESTED_IN:
        ends = {"user_id": edge.source[1], "kind": edge.target[1], "name": edge.target[2]}
        return "interests", {**ends, **edge.properties}
    if edge.type == PART_OF:
        return "part_of", {
            "kind": edge.source[1],
            "name": edge.source[2],
            "broader_kind": edge.target[1],
            "broader_name": edge.target[2],
        }
    assert edge.type == HAS_TAG
    return "has_tag", {
        "object_kind": edge.source[0].lower(),
        "object_id": edge.source[1],
        "kind": edge.target[1],
        "name": edge.target[2],
        "weight": edge.properties["weight"],
    }


class _Tables:
    """Several Parquet files that are written side by side, a bounded number of rows in memory for each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._files: dict[str, tuple[Any, pa.Schema, list[dict[str, Any]]]] = {}

    def open(self, name: str, schema: pa.Schema) -> None:
        file = self._stack.enter_context(parquet_file(self._folder / f"{name}.parquet", schema))
        self._files[name] = (file, schema, [])

    def add(self, name: str, row: dict[str, Any]) -> None:
        waiting = self._files[name][2]
        waiting.append(row)
        if len(waiting) == ROWS_AT_ONCE:
            self._write(name)

    def _write(self, name: str) -> None:
        import pyarrow as pa

        file, schema, waiting = self._files[name]
        try:
            file.write_table(pa.Table.from_pylist(waiting, schema=schema))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise GraphProfileError(
                f"{name}: a value is not of the kind of the others: {error}.",
                "Export again when nothing is being loaded.",
            ) from error
        waiting.clear()

    def _rest(self) -> Iterator[str]:
        return (name for name, (_, _, waiting) in self._files.items() if waiting)

    def __enter__(self) -> _Tables:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:
        with self._stack:
            if kind is None:
                for name in self._rest():
                    self._write(name)
