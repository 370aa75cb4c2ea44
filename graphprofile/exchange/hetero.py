"""The graph as arrays for PyG: nodes numbered, edges as pairs of numbers, vectors of the model in use."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from graphprofile.exchange.rows import HAS_TAG, INTERESTED_IN, GraphRows, Key
from graphprofile.graphsage.hetero import EdgeArrays, NodeArrays, save_hetero

_ID_NAMES = {"User": "user_id", "Item": "item_id", "Content": "content_id", "Tag": "name"}
_VECTORS = {
    "User": "embed/read_all_users",
    "Item": "embed/read_vectors_of_items",
    "Content": "embed/read_vectors_of_contents",
}


def write_hetero(rows: GraphRows, path: Path) -> None:
    """Write a graph as a saved ``HeteroData``.

    Node types ``user``, ``item``, ``content``, ``tag``, sorted by id, with ``num_nodes`` and their ids in a list; where
    a model is in use ``x`` holds its vectors (zeros for a node without) and ``has_x`` says which nodes have one. Edge
    types such as ``(user, purchased, item)`` with ``ts`` (epoch ms) and ``value`` (NaN for none), ``(item, has_tag,
    tag)`` with ``weight``, ``(tag, part_of, tag)``, ``(user, interested_in, tag)`` with ``short``, ``long`` and
    ``last_at``.

    Args:
        rows: The graph.
        path: Where to write.

    Raises:
        OSError: It cannot be written there.
    """
    keys: dict[str, list[Key]] = {label: [] for label in _ID_NAMES}
    for node in rows.nodes():
        keys[node.key[0]].append(node.key)
    for of in keys.values():
        of.sort()
    place = {key: number for of in keys.values() for number, key in enumerate(of)}
    edges: dict[tuple[str, str, str], _Edges] = {}
    for edge in rows.edges():
        ends = place.get(edge.source), place.get(edge.target)
        if ends[0] is None or ends[1] is None:
            # Came after the nodes were read.
            continue
        name = edge.source[0].lower(), edge.type.lower(), edge.target[0].lower()
        columns = _columns(edge.type, event=edge.event)
        edges.setdefault(name, _Edges(columns)).add(ends[0], ends[1], edge.properties)
    save_hetero(
        path,
        {label.lower(): _nodes(rows, label, of, place) for label, of in keys.items() if of},
        {name: found.arrays() for name, found in sorted(edges.items())},
    )


def _columns(type_: str, *, event: bool) -> dict[str, str]:
    """Numbers an edge carries, and the type code of the array that holds them."""
    if event:
        return {"ts": "q", "value": "d"}
    return {HAS_TAG: {"weight": "d"}, INTERESTED_IN: {"short": "d", "long": "d", "last_at": "q"}}.get(
        type_, {}
    )


def _nodes(rows: GraphRows, label: str, keys: list[Key], place: dict[Key, int]) -> NodeArrays:
    ids = {_ID_NAMES[label]: [key[-1] for key in keys]}
    if label == "Tag":
        ids["kind"] = [key[1] for key in keys]
    model = next((row["version"] for row in rows.store.read("embed/read_model")), None)
    if model is None or label not in _VECTORS:
        return NodeArrays(len(keys), ids)
    found: Iterable[dict[str, Any]] = rows.store.stream(_VECTORS[label], model=model)
    vectors: npt.NDArray[np.float32] | None = None
    has = np.zeros(len(keys), dtype=bool)
    for row in found:
        number, vector = place.get((label, row["id"])), row["embedding"]
        if number is None or vector is None:
            continue
        if vectors is None:
            vectors = np.zeros((len(keys), len(vector)), dtype=np.float32)
        if len(vector) == vectors.shape[1]:
            vectors[number] = vector
            has[number] = True
    return NodeArrays(len(keys), ids, vectors, has)


class _Edges:
    """Edges of one kind in packed arrays."""

    def __init__(self, columns: dict[str, str]) -> None:
        self._ends = array("q"), array("q")
        self._columns: dict[str, array[Any]] = {name: array(code) for name, code in columns.items()}

    def add(self, source: int, target: int, properties: dict[str, Any]) -> None:
        self._ends[0].append(source)
        self._ends[1].append(target)
        for name, values in self._columns.items():
            value = properties.get(name)
            values.append(float("nan") if value is None else value)

    def arrays(self) -> EdgeArrays:
        return EdgeArrays(
            np.stack([np.frombuffer(ends, dtype=np.int64) for ends in self._ends]),
            {name: np.array(values) for name, values in self._columns.items()},
        )
