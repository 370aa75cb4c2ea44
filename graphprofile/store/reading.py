"""What a driver returns, as plain values that any program (and JSON) understands."""

from __future__ import annotations

from typing import Any

from neo4j.graph import Node, Path, Relationship
from neo4j.spatial import Point
from neo4j.time import Date, DateTime, Duration, Time


def plain(value: Any) -> Any:
    """A value of a result without driver classes.

    Nodes become ``{"labels", "properties"}``, relationships ``{"type", "properties"}``, paths
    ``{"nodes", "relationships"}``, times ISO 8601 text, points lists of coordinates, bytes hexadecimal text.
    """
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Node):
        return {"labels": sorted(value.labels), "properties": plain(dict(value.items()))}
    if isinstance(value, Relationship):
        return {"type": value.type, "properties": plain(dict(value.items()))}
    if isinstance(value, Path):
        return {
            "nodes": [plain(node) for node in value.nodes],
            "relationships": [plain(relationship) for relationship in value.relationships],
        }
    if isinstance(value, (DateTime, Date, Time, Duration)):
        return value.iso_format()
    if isinstance(value, Point):
        return [float(coordinate) for coordinate in value]
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if callable(isoformat) else str(value)
