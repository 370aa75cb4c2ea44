"""The engine's own vector index: made, dropped, searched."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphprofile.errors import EngineError, NoVectorIndex, UsageError
from graphprofile.store.engines import VECTOR_LABELS, Neo4j, check_vector
from graphprofile.store.link import Link

MOST_DIMENSIONS = 4096


class VectorIndexes(ABC):
    """The part of :class:`graphprofile.store.Store` that has to do with vectors."""

    embedded: bool
    _link: Link

    @property
    @abstractmethod
    def uri(self) -> str:
        """The Bolt address in use."""

    @abstractmethod
    def read(self, query: str, /, *, event_types: Sequence[str] = (), **params: Any) -> list[dict[str, Any]]:
        """Run a named query that only reads and collect its rows."""

    @abstractmethod
    def _statement(self, text: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A schema statement."""

    def create_vector_index(self, label: str, dimensions: int) -> None:
        """A cosine index over ``embedding`` of User, Item or Content; remade when the dimensions change.

        Raises:
            UsageError: Another label, or dimensions outside 1 to 4096.
            EngineError: The engine refused.
        """
        if label not in VECTOR_LABELS or not 1 <= dimensions <= MOST_DIMENSIONS:
            raise UsageError(
                f"There can be no vector index over {label!r} with {dimensions} dimensions.",
                f"Labels: {', '.join(VECTOR_LABELS)}; dimensions: 1 to {MOST_DIMENSIONS}.",
            )
        if isinstance(self._link.kind, Neo4j):
            self._link.kind.create_vector_index(self._statement, label, dimensions)
            return
        if not self.embedded:
            raise EngineError(
                f"{self.uri} is an ArcadeDB server, where a vector index cannot be made over Bolt.",
                "Use the embedded engine (no URI), or Neo4j.",
            )

        def attempt() -> None:
            channel = self._link.channel
            if channel is None:
                raise ConnectionResetError("the connection is lost")
            channel.ask(op="vector_index", label=label, dimensions=dimensions)

        self._link.repeat(attempt, f"vector index over {label}")

    def drop_vector_indexes(self) -> None:
        """Remove the vector indexes; only where ``builds_vector_index_at_once``, and does nothing elsewhere."""
        kind = self._link.kind
        if isinstance(kind, Neo4j):
            for label in VECTOR_LABELS:
                kind.drop_vector_index(self._statement, label)

    def vector_index_name(self, label: str) -> str:
        """What the engine calls the index over ``embedding`` of User, Item or Content."""
        return self._link.kind.vector_index_name(label)

    def vector_search(self, label: str, vector: Sequence[float], k: int) -> list[tuple[str, float]]:
        """The nodes whose embedding is nearest, from the engine's vector index.

        Args:
            label: User, Item or Content.
            vector: Query vector ``[dimensions]``.
            k: How many at most.

        Returns:
            (id, cosine in [-1, 1]) pairs, best first, ties by id.

        Raises:
            UsageError: The vector is empty, zero or not finite, or k is below 1.
            EngineError: There is no index over that label, or it has other dimensions than the vector.
        """
        rows = self._search("vectors/search_nodes", label, vector, k)
        return self.by_cosine((row["id"], row["score"]) for row in rows)

    def vector_search_of(
        self, model: str, label: str, vector: Sequence[float], k: int
    ) -> list[tuple[str, float]] | None:
        """As :meth:`vector_search`, but None where the index cannot tell.

        It cannot where it does not exist, while another model's vectors are written, and where those of this model
        never all were.

        Args:
            model: The version whose vectors count.
            label: User, Item or Content.
            vector: Query vector ``[dimensions]``.
            k: How many at most.
        """
        try:
            rows = self._search("vectors/search_nodes_of_one_model", label, vector, k)
        except NoVectorIndex:
            return None
        except EngineError:
            # A model on its way may have remade the index for its own dimensions.
            if self.read("embed/read_coming"):
                return None
            raise
        found, changing = rows[0]["found"], rows[0]["changing"]
        if changing or any(one != model for _, _, one in found):
            return None
        return self.by_cosine((id_, score) for id_, score, _ in found)

    def _search(self, query: str, label: str, vector: Sequence[float], k: int) -> list[dict[str, Any]]:
        if k < 1:
            raise UsageError(f"k is {k}: at least 1 neighbour must be asked for.")
        name = self.vector_index_name(label)
        checked = check_vector([float(value) for value in vector])
        try:
            return self.read(query, index=name, k=int(k), vector=checked)
        except EngineError as error:
            shown = self.read("schema/show")
            if not any(row["label"] == label and row["properties"] == ["embedding"] for row in shown):
                raise NoVectorIndex(
                    f"There is no vector index over {label}.",
                    "`graphprofile train` makes the first one, `graphprofile embed --all` a lost one.",
                ) from error
            raise EngineError(
                f"The vector index over {label} cannot be asked with {len(checked)} dimensions: {error}",
                "Vectors and index come from different models: `graphprofile embed --all` mends that.",
            ) from error

    def by_cosine(self, scored: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
        """What an index gave, (id, score) pairs, as (id, cosine in [-1, 1]) pairs, best first, ties by id."""
        found = [(str(id_), self._link.kind.cosine(float(score))) for id_, score in scored]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))
