"""What a query answers, in a form that JSON carries without loss of meaning and that can be drawn."""

from __future__ import annotations

import math
from typing import Any

from neo4j.graph import Node, Path, Relationship
from neo4j.spatial import Point

from graphprofile.store.reading import plain

LARGEST_EXACT = 2**53
LARGEST_SENT = 2**63 - 1


def drawable(value: Any) -> Any:
    """A value of a result for JSON.

    Nodes become ``{"kind": "node", "id", "labels", "properties"}``, relationships ``{"kind": "relationship", "id",
    "type", "start", "end", "properties"}`` with the ids of their ends, paths ``{"kind": "path", "nodes",
    "relationships"}``, points ``{"kind": "point", "srid", "coordinates"}``. Text stands for what JSON, or a reader that
    knows doubles only, has no number for: ``NaN``, ``Infinity``, ``-Infinity`` and whole numbers beyond 2^53. Times
    are ISO 8601 text, bytes hexadecimal text.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else _name(value)
    if isinstance(value, Node):
        return {
            "kind": "node",
            "id": value.element_id,
            "labels": sorted(value.labels),
            "properties": _mapped(value),
        }
    if isinstance(value, Relationship):
        start, end = value.nodes
        return {
            "kind": "relationship",
            "id": value.element_id,
            "type": value.type,
            "start": start.element_id if start is not None else None,
            "end": end.element_id if end is not None else None,
            "properties": _mapped(value),
        }
    if isinstance(value, Path):
        return {
            "kind": "path",
            "nodes": [drawable(node) for node in value.nodes],
            "relationships": [drawable(one) for one in value.relationships],
        }
    if isinstance(value, Point):
        return {"kind": "point", "srid": value.srid, "coordinates": [drawable(float(x)) for x in value]}
    if isinstance(value, list):
        return [drawable(one) for one in value]
    if isinstance(value, dict):
        return {str(name): drawable(one) for name, one in value.items()}
    return plain(value)


def _mapped(value: Any) -> dict[str, Any]:
    return {str(name): drawable(one) for name, one in value.items()}


def _name(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
