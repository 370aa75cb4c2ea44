"""A whole graph as lines of JSON, whichever engine holds it, with a sum that tells whether two of them are the same.

A node's number is the engine's own id packed into 64 bits; relationships name their ends by it. Nothing is kept in
memory but the row at hand and, where a restore must translate, sixteen bytes per node.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from graphprofile.errors import BackupError
from graphprofile.records import Progress
from graphprofile.store.values import Encoder

if TYPE_CHECKING:
    from graphprofile.store import Store

MOST_AT_A_TIME = 10_000
MOST_LEAVING = 5_000
BYTES_LIKE_ONE = 500
NODES, RELATIONSHIPS = "nodes", "relationships"
_CANONICAL = orjson.OPT_SORT_KEYS

Renumber = Callable[[Sequence[int]], Sequence[int]]
"""Numbers of one graph to those of another."""


def number_of(element_id: str) -> int:
    """The engine's id of a node in 64 bits: ``4:…:17`` (Neo4j) is 17, ``#3:17`` (ArcadeDB) bucket and place."""
    if element_id.startswith("#"):
        bucket, _, place = element_id[1:].partition(":")
        return int(bucket) << 48 | int(place)
    return int(element_id.rpartition(":")[2])


def element_id_of(number: int, like: str) -> str:
    """The engine's id for a number, in the form of another id of the same store."""
    if like.startswith("#"):
        return f"#{number >> 48}:{number & (1 << 48) - 1}"
    return f"{like.rpartition(':')[0]}:{number}"


@dataclass
class Census:
    """What a graph holds: counts, and the sum of the SHA-256 of all its lines, so that no order matters."""

    nodes: Counter[str] = field(default_factory=Counter)
    relationships: Counter[str] = field(default_factory=Counter)
    total: int = 0

    def node(self, labels: Sequence[str], line: bytes) -> None:
        """Count a node."""
        self.nodes[":".join(labels)] += 1
        self.total += int.from_bytes(sha256(line).digest(), "big")

    def relationship(self, type_: str, line: bytes) -> None:
        """Count a relationship."""
        self.relationships[type_] += 1
        self.total += int.from_bytes(sha256(line).digest(), "big")

    def to_json(self) -> dict[str, Any]:
        """Counts by labels and by type, and the sum in 64 hex digits."""
        return {
            NODES: dict(sorted(self.nodes.items())),
            RELATIONSHIPS: dict(sorted(self.relationships.items())),
            "sum": f"{self.total % (1 << 256):064x}",
        }


class Numbers:
    """Which node of a backup became which node of the store: two whole numbers per node."""

    def __init__(self) -> None:
        self._pairs = array("q"), array("q")
        self._tables: list[tuple[Any, Any]] = []

    def add(self, old: int, new: int) -> None:
        """Note one node."""
        self._pairs[0].append(old)
        self._pairs[1].append(new)

    def close(self) -> None:
        """All are noted: sort them both ways."""
        old, new = (np.frombuffer(numbers, dtype=np.int64) for numbers in self._pairs)
        for keys, values in ((old, new), (new, old)):
            order = np.argsort(keys, kind="stable")
            self._tables.append((keys[order], values[order]))

    def new(self, old: Sequence[int]) -> list[int]:
        """Numbers in the store; -1 where the backup has no such node."""
        return self._look_up(0, old)

    def old(self, new: Sequence[int]) -> list[int]:
        """Numbers in the backup; -1 where the restore made no such node."""
        return self._look_up(1, new)

    def _look_up(self, table: int, wanted: Sequence[int]) -> list[int]:
        keys, values = self._tables[table]
        asked = np.array(wanted, dtype=np.int64)
        if not len(keys):
            return [-1] * len(asked)
        place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        found: list[int] = np.where(keys[place] == asked, values[place], -1).tolist()
        return found


class GraphReader:
    """Reads everything in a store.

    Attributes:
        census: What was read so far.
        encoder: Knows the kinds of values that were among it.
        vectors: How many nodes of a label have an embedding of a length.
        names: Labels and relationship types.

    Args:
        store: The graph.
        renumber: Numbers to write instead of the store's own.
        replaced: Properties to take instead of those in the store, by the engine's id of the node.
    """

    def __init__(
        self,
        store: Store,
        renumber: Renumber | None = None,
        replaced: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.store = store
        self.census = Census()
        self.encoder = Encoder()
        self.vectors: Counter[tuple[str, int]] = Counter()
        self.names: set[str] = set()
        self._renumber = renumber
        self._replaced = replaced or {}

    def read(self, what: str, progress: Progress | None = None) -> Iterator[tuple[str, bytes]]:
        """Lines of all nodes and relationships, each with which of the two it is, in any order.

        Args:
            what: What to call it in the progress.
            progress: Called with (what, nodes done, nodes in all).

        Raises:
            BackupError: A value cannot be kept; names node and property.
        """
        total = self.store.read("backup/count_nodes")[0]["nodes"] if progress else None
        many: list[str] = []
        done = 0
        for part in _parts(self.store.stream("backup/read_graph", most=MOST_LEAVING)):
            many += [row["node"] for row in part if row["leaving"] is None]
            yield from self._lines(part)
            done += len(part)
            if progress:
                progress(what, done, total)
        for node in many:
            leaving = ([row["type"], row["other"], row["properties"]] for row in self._leaving(node))
            while several := list(islice(leaving, MOST_LEAVING)):
                yield from self._relationships([{"node": node, "leaving": several}])

    def _leaving(self, node: str) -> Iterable[dict[str, Any]]:
        return self.store.stream("backup/read_leaving", node=node)

    def _lines(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, bytes]]:
        for row, number in zip(rows, self._numbers([row["node"] for row in rows]), strict=True):
            labels = sorted(row["labels"])
            self.names.update(labels)
            properties = self._properties(self._replaced.get(row["node"], row["properties"]), labels)
            line = orjson.dumps({"id": number, "labels": labels, "properties": properties}, option=_CANONICAL)
            self.census.node(labels, line)
            vector = row["properties"].get("embedding")
            if isinstance(vector, list) and vector:
                self.vectors.update((label, len(vector)) for label in labels)
            yield NODES, line
        yield from self._relationships([row for row in rows if row["leaving"]])

    def _relationships(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, bytes]]:
        starts = self._numbers([row["node"] for row in rows for _ in row["leaving"]])
        ends = self._numbers([other for row in rows for _, other, _ in row["leaving"]])
        leaving = (found for row in rows for found in row["leaving"])
        for start, end, (type_, _, found) in zip(starts, ends, leaving, strict=True):
            self.names.add(type_)
            properties = self._properties(found, (type_,))
            line = orjson.dumps(
                {"from": start, "properties": properties, "to": end, "type": type_}, option=_CANONICAL
            )
            self.census.relationship(type_, line)
            yield RELATIONSHIPS, line

    def _numbers(self, element_ids: Sequence[str]) -> Sequence[int]:
        numbers = [number_of(element_id) for element_id in element_ids]
        return self._renumber(numbers) if self._renumber else numbers

    def _properties(self, found: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
        try:
            return self.encoder.properties(found)
        except ValueError as error:
            raise BackupError(
                f"{':'.join(names) or 'A node without labels'} {found.get('id', '')!r}, {error}.",
                "Change or remove that property; nothing else stands in the way.",
            ) from error


def _parts(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Nodes to be worked on together: bounded in what they hold, not in number alone."""
    part: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        part.append(row)
        long = sum(
            len(value) for value in row["properties"].values() if isinstance(value, (str, bytes, list))
        )
        size += 1 + len(row["leaving"] or ()) + long // BYTES_LIKE_ONE
        if size >= MOST_AT_A_TIME:
            yield part
            part, size = [], 0
    if part:
        yield part
