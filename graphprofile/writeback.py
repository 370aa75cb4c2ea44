"""Vectors onto the nodes, in batches: of everybody after a switch, of who changed since otherwise.

Vectors of items are frozen per model version; an item the model has never seen gets one from its own tags, properties
and texts. A user's vector is a function of the user's own events and of those. So embedding who changed gives exactly
what embedding everybody would.

A node has room for two vectors. While those of a model to come are written, the ones of the model in use stay beside
them, and readers take these until all are there and the new model is named: they never see a mixture, also when the
writing is broken off. Going back exchanges the two.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from graphprofile.errors import BadVectors
from graphprofile.export import CONTENT, ITEM, event_parameters, objects_graph
from graphprofile.graphsage.data import TrainingGraph
from graphprofile.graphsage.fitted import FittedModel, Folded
from graphprofile.pipeline import ahead
from graphprofile.records import EmbedResult, Progress, chunks
from graphprofile.tags import Hierarchy
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    import numpy.typing as npt

    from graphprofile.store import Store

USERS_PER_TRANSACTION = 1_000
OBJECTS_PER_TRANSACTION = 1_000
PLURAL = {ITEM: "items", CONTENT: "contents"}
_PREFIXES = {"item": ITEM, "content": CONTENT}


class UserVectors:
    """Computes vectors of users from rows of ``embed/read_events_of_users``.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        model: The model.
    """

    def __init__(self, store: Store, vocabulary: Vocabulary, model: FittedModel) -> None:
        self.store = store
        self.vocabulary = vocabulary
        self.model = model

    def described(self, keys: Iterable[str], rows: Sequence[dict[str, Any]] = ()) -> TrainingGraph:
        """Objects with their descriptions, as far as the model makes use of these, and the events of users."""
        wanted = list(keys)
        # All tags there are, for nothing, where no object has to be described.
        hierarchy = self._hierarchy if wanted else Hierarchy(())
        return objects_graph(self.store, self.vocabulary, wanted, hierarchy, rows, encoder=self.model.encoder)

    @cached_property
    def _hierarchy(self) -> Hierarchy:
        return Hierarchy.read(self.store)

    def read(self, user_ids: Sequence[str], *, named: bool = False) -> list[dict[str, Any]]:
        """Events of users with the revision they were read at; ``named``: with their ids and batches too."""
        return self.store.read(
            "embed/explain_events_of_users" if named else "embed/read_events_of_users",
            event_types=self.vocabulary.types,
            user_ids=list(user_ids),
            **event_parameters(self.vocabulary),
        )

    def compute(
        self, rows: Sequence[dict[str, Any]]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Stored vectors [n, dimensions], and whether any event of the user could be used [n].

        Raises:
            BadVectors: A vector is NaN or infinite.
        """
        keys = np.array(
            sorted({key for row in rows for key in row["objects"] if key[:2] != "u:"}), dtype=object
        )
        unseen = keys[self.model.positions(keys) < 0] if len(keys) else keys
        graph = self.described(unseen, rows)
        vectors, usable = self.model.encode(graph, fold_unseen(self.model, graph))
        stored = self.model.stored_users(vectors)
        bad = ~np.isfinite(stored).all(axis=1)
        if bad.any():
            first = rows[int(np.flatnonzero(bad)[0])]["user_id"]
            raise BadVectors(
                f"The vectors of {int(bad.sum())} users are NaN or infinite, the first is {first!r}.",
                "Look at that user's events with `graphprofile explain`; nothing was written.",
            )
        return stored, usable

    def completed(
        self, user_ids: Sequence[str], stored: Mapping[str, Sequence[float] | None]
    ) -> npt.NDArray[np.float32]:
        """Vectors [n, dimensions]: the stored ones, and of who has none by this model the one `embed` would write.

        Args:
            user_ids: Whose.
            stored: What there is, by id.

        Raises:
            BadVectors: As for :meth:`compute`.
        """
        found = {id_: vector for id_, vector in stored.items() if vector is not None}
        lacking = [id_ for id_ in user_ids if id_ not in found]
        if lacking:
            rows = self.read(lacking)
            found |= zip((row["user_id"] for row in rows), self.compute(rows)[0].tolist(), strict=True)
        return np.asarray([found[id_] for id_ in user_ids], dtype=np.float32)


def fold_unseen(model: FittedModel, graph: TrainingGraph) -> Folded:
    """Vectors of the objects of a graph that the model does not hold, from their own descriptions alone."""
    folded = model.fold_in(graph, neighbourhood=False)
    unseen = model.positions(graph.object_ids[folded.index]) < 0
    return Folded(
        folded.index[unseen],
        folded.inputs[unseen],
        folded.targets[unseen],
        folded.popularity[unseen],
        folded.known[unseen],
    )


class Writer:
    """Writes vectors of one model.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        version: Of the model.
        model: The model.
        progress: Called with (what, done, total or None).
        in_use: The model that is read meanwhile; its vectors are kept. By default the one that is written.
    """

    def __init__(
        self,
        store: Store,
        vocabulary: Vocabulary,
        version: str,
        model: FittedModel,
        progress: Progress | None = None,
        *,
        in_use: str | None = None,
    ) -> None:
        self.store = store
        self.vocabulary = vocabulary
        self.version = version
        self.model = model
        self.progress = progress
        self.in_use = in_use or version
        self._users = UserVectors(store, vocabulary, model)
        self._claim = f"~{secrets.token_hex(8)}"

    def write(self, *, everybody: bool) -> EmbedResult:
        """Write vectors of all, or of who changed; objects first, since users rest on them."""
        started = time.perf_counter()
        objects = sum(self._write_objects(prefix, everybody) for prefix in (ITEM, CONTENT))
        users = self._write_everybody() if everybody else self._write_due()
        return EmbedResult(
            users=users, items=objects, model=self.version, seconds=round(time.perf_counter() - started, 3)
        )

    def write_of(self, user_ids: Sequence[str], objects: Iterable[tuple[str, str]] = ()) -> None:
        """Write vectors of some users, and of those of some objects that are due; whoever else is due stays so.

        Args:
            user_ids: Whose.
            objects: Kind (item | content) and id of each.
        """
        by_prefix: dict[str, list[str]] = {ITEM: [], CONTENT: []}
        for kind, id_ in objects:
            if kind in _PREFIXES:
                by_prefix[_PREFIXES[kind]].append(id_)
        for prefix, ids in by_prefix.items():
            if ids:
                rows = self.store.read(f"embed/find_due_{PLURAL[prefix]}", ids=sorted(set(ids)))
                self._write_some(prefix, sorted(row["id"] for row in rows), mark_users=True)
        self._write_users(sorted(set(user_ids)))

    def write_next(self) -> EmbedResult:
        """Write what is missing of a model that is to come; what the nodes kept of it comes to the front as it is.

        After it was broken off it goes on where it was.
        """
        started = time.perf_counter()
        for plural in (*PLURAL.values(), "users"):
            self._swap(plural)
        objects = sum(
            self._write_some(prefix, self._ids(f"embed/list_next_{plural}", model=self.version))
            for prefix, plural in PLURAL.items()
        )
        users = self._write_users(self._ids("embed/list_next_users", model=self.version))
        return EmbedResult(
            users=users, items=objects, model=self.version, seconds=round(time.perf_counter() - started, 3)
        )

    def settle(self) -> None:
        """Once the model is in use: who was due and has its vector is not due any more.

        An object that the model has not seen stays due: its description may have changed since it was written.
        """
        for prefix, plural in PLURAL.items():
            due = self._ids(f"embed/list_due_{plural}")
            place = self.model.positions(np.array([prefix + id_ for id_ in due], dtype=object))
            self._settle(plural, [id_ for id_, at in zip(due, place.tolist(), strict=True) if at >= 0])
        self._settle("users", self._ids("embed/list_all_due_users"))

    def _ids(self, query: str, **parameters: Any) -> list[str]:
        return sorted(row["id"] for row in self.store.stream(query, **parameters))

    def _swap(self, plural: str) -> None:
        ids = self._ids(f"embed/list_kept_{plural}", model=self.version)
        for done, part in enumerate(chunks(ids, OBJECTS_PER_TRANSACTION)):
            self._run(f"embed/swap_{plural}", ids=part, model=self.version)
            self._tell(f"vectors of {plural} kept", done * OBJECTS_PER_TRANSACTION + len(part), len(ids))

    def _settle(self, plural: str, ids: Sequence[str]) -> None:
        for part in chunks(ids, OBJECTS_PER_TRANSACTION):
            self._run(f"embed/settle_{plural}", ids=part, model=self.version)

    def _write_objects(self, prefix: str, everybody: bool) -> int:
        plural = PLURAL[prefix]
        ids = self._ids(f"embed/list_{plural}" if everybody else f"embed/list_due_{plural}")
        return self._write_some(prefix, ids, mark_users=not everybody)

    def _write_some(self, prefix: str, ids: Sequence[str], *, mark_users: bool = False) -> int:
        plural = PLURAL[prefix]
        done = 0
        for rows in ahead(self._rows_of_objects(prefix, ids)):
            unseen = [id_ for id_, _, claim in rows if claim]
            if unseen and mark_users:
                # First: once the object is written nobody knows any more that its users are due.
                self._mark_users(plural, unseen)
            self._write(plural, rows)
            done += len(rows)
            self._tell(f"vectors of {plural}", done, len(ids))
        return done

    def _rows_of_objects(self, prefix: str, ids: Sequence[str]) -> Generator[list[list[Any]], None, None]:
        """Id, vector, and what claims an object that the model has not seen, whose vector rests on its description."""
        plural = PLURAL[prefix]
        stored, _ = self.model.stored_objects()
        for part in chunks(ids, OBJECTS_PER_TRANSACTION):
            keys = np.array([prefix + id_ for id_ in part], dtype=object)
            place = self.model.positions(keys)
            vectors = (
                stored[np.maximum(place, 0)] if len(stored) else np.zeros((len(part), self.model.dimensions))
            )
            unseen = np.flatnonzero(place < 0)
            if len(unseen):
                if self.in_use == self.version:
                    self._run(
                        f"embed/claim_{plural}", ids=[part[at] for at in unseen.tolist()], claim=self._claim
                    )
                graph = self._users.described(keys[unseen])
                # The graph's keys are sorted, and ``part`` is sorted.
                vectors[unseen], _ = self.model.stored_objects(fold_unseen(self.model, graph))
            claims = [self._claim if at < 0 else None for at in place.tolist()]
            yield [list(row) for row in zip(part, vectors.tolist(), claims, strict=True)]

    def _mark_users(self, plural: str, ids: list[str]) -> None:
        self._run(f"embed/mark_users_of_{plural}", event_types=self.vocabulary.types, ids=ids)

    def _write_everybody(self) -> int:
        ids = sorted(row["user_id"] for row in self.store.stream("tags/list_users"))
        return self._write_users(ids)

    def _write_due(self) -> int:
        done: set[str] = set()
        # Who changes meanwhile is due again.
        while due := self._ids("embed/list_all_due_users"):
            self._write_users(due)
            done.update(due)
        return len(done)

    def _write_users(self, ids: Sequence[str]) -> int:
        done = 0
        for rows in ahead(self._rows_of_users(ids)):
            self._write("users", rows)
            done += len(rows)
            self._tell("vectors of users", done, len(ids))
        return done

    def _rows_of_users(self, ids: Sequence[str]) -> Generator[list[list[Any]], None, None]:
        """Id, vector, the revision it was computed at, and status."""
        for part in chunks(ids, USERS_PER_TRANSACTION):
            rows = self._users.read(part)
            vectors, usable = self._users.compute(rows)
            yield [
                [row["user_id"], vector, row["rev"], "fresh" if ok else "cold_start"]
                for row, vector, ok in zip(rows, vectors.tolist(), usable.tolist(), strict=True)
            ]

    def _write(self, plural: str, rows: list[list[Any]]) -> None:
        now = int(time.time() * 1000)
        if self.in_use == self.version:
            self._run(f"embed/write_{plural}", rows=rows, model=self.version, now=now)
        else:
            self._run(
                f"embed/write_next_{plural}", rows=rows, model=self.version, now=now, in_use=self.in_use
            )

    def _run(self, query: str, **parameters: Any) -> None:
        self.store.write(lambda tx: tx.run(query, **parameters))

    def _tell(self, what: str, done: int, total: int | None) -> None:
        if self.progress:
            self.progress(what, done, total)
