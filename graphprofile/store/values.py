"""Property values as JSON that loses nothing, and back into what an engine takes as parameters.

Text, whole numbers, booleans and finite floats stand as they are. Everything else is an object of one key that
names the kind: ``{"bytes": base64}``, ``{"float": "NaN"}``, ``{"f32": base64}`` (a list of floats that are exactly
single precision: a vector), ``{"point": [srid, x, y]}``, ``{"map": {…}}`` and the times ``{"datetime": text}``,
``{"date": text}`` and so on. No property is such an object itself: engines keep no maps in properties.

Times go into a statement as text and become times there: as parameters ArcadeDB takes their zone away.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from neo4j.spatial import CartesianPoint, Point, WGS84Point
from neo4j.time import Date, DateTime, Duration, Time

TIMES = frozenset({"datetime", "localdatetime", "date", "time", "localtime", "duration"})
POINTS: dict[int, type[Point]] = {
    4326: WGS84Point,
    4979: WGS84Point,
    7203: CartesianPoint,
    9157: CartesianPoint,
}
SHORTEST_PACKED = 8
_PLAIN = (str, int, bool)

TimeValue = tuple[str, str, list[str], bool]
"""Property name, kind, texts, and whether the value is a list of them."""


class Encoder:
    """Turns properties as the driver returns them into JSON.

    Attributes:
        kinds: What not every engine can hold, of all values seen: ``map``, ``list of lists``, ``mixed list``.
    """

    def __init__(self) -> None:
        self.kinds: set[str] = set()

    def properties(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """All properties of a node or relationship; what is null is absent.

        Raises:
            ValueError: A value has no faithful form here; names the property.
        """
        result = {}
        for name, value in found.items():
            if value is None:
                continue
            if type(value) in _PLAIN:
                result[name] = value
                continue
            try:
                result[name] = self._value(value)
            except ValueError as error:
                raise ValueError(f"property {name!r}: {error}") from None
        return result

    def _value(self, value: Any) -> Any:
        if value is None or type(value) in _PLAIN:
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, list):
            return self._list(value)
        if isinstance(value, (bytes, bytearray)):
            return {"bytes": base64.b64encode(bytes(value)).decode()}
        if isinstance(value, Point):
            return {"point": [value.srid, *(float(coordinate) for coordinate in value)]}
        if isinstance(value, dict):
            self.kinds.add("map")
            return {"map": {str(key): self._value(item) for key, item in value.items()}}
        if isinstance(value, DateTime):
            zone = getattr(value.tzinfo, "zone", None)
            text = value.iso_format() + (f"[{zone}]" if zone and zone != "UTC" else "")
            return {"localdatetime" if value.tzinfo is None else "datetime": text}
        if isinstance(value, Time):
            return {"localtime" if value.tzinfo is None else "time": value.iso_format()}
        if isinstance(value, (Date, Duration)):
            return {"date" if isinstance(value, Date) else "duration": value.iso_format()}
        raise ValueError(f"values of the type {type(value).__name__} cannot be kept")

    def _list(self, values: list[Any]) -> Any:
        types = set(map(type, values))
        if types == {float} and len(values) >= SHORTEST_PACKED:
            packed = _packed(values)
            if packed is not None:
                return {"f32": packed}
        if list in types:
            self.kinds.add("list of lists")
        if len(types) > 1 or type(None) in types:
            self.kinds.add("mixed list")
        result = [self._value(value) for value in values]
        kinds = {next(iter(item)) for item in result if isinstance(item, dict)}
        if kinds & TIMES and (len(kinds) > 1 or not all(isinstance(item, dict) for item in result)):
            raise ValueError("a list of times and other values cannot be kept")
        return result


def _packed(values: list[float]) -> str | None:
    """Floats as base64 of little-endian single precision; None where that would lose anything."""
    wide = np.array(values, dtype="<f8")
    with np.errstate(over="ignore"):
        narrow = wide.astype("<f4")
    if not np.array_equal(narrow.astype("<f8"), wide) or (np.signbit(wide) & (wide == 0)).any():
        return None
    return base64.b64encode(narrow.tobytes()).decode()


def decode(properties: Mapping[str, Any]) -> tuple[dict[str, Any], list[TimeValue]]:
    """Properties out of JSON: parameters, and the times that a statement has to make from text.

    Raises:
        ValueError: A value of a kind that is not known.
    """
    plain: dict[str, Any] = {}
    times: list[TimeValue] = []
    for name, value in properties.items():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict) and (kind := next(iter(first))) in TIMES:
            several = isinstance(value, list)
            texts = [item[kind] for item in (value if several else [value])]
            times.append((name, kind, texts, several))
        else:
            plain[name] = _decoded(value)
    return plain, times


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    if kind == "f32":
        return np.frombuffer(base64.b64decode(content), dtype="<f4").astype("<f8").tolist()
    if kind == "bytes":
        return base64.b64decode(content)
    if kind == "float":
        return float(content)
    if kind == "point":
        return POINTS[content[0]](content[1:])
    if kind == "map":
        return {key: _decoded(item) for key, item in content.items()}
    raise ValueError(f"unknown kind of value {kind!r}")
