"""What classic methods learnt from a graph: kept until somebody's events change, learnt by one thread at a time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphprofile.collaborative.contract import Fitted
from graphprofile.collaborative.methods import method_named
from graphprofile.counts import count_events
from graphprofile.errors import Busy, QueryTimeout, QueryTooLarge, TooLittleData
from graphprofile.export import events_graph
from graphprofile.graphsage import metrics as m
from graphprofile.reading import watermark

if TYPE_CHECKING:
    from graphprofile.graphsage.data import TrainingGraph
    from graphprofile.store import Store
    from graphprofile.vocabulary import Vocabulary


@dataclass(frozen=True)
class Bounds:
    """What somebody who waits for an answer may make this process learn.

    The time is that of the thread's reads (:meth:`graphprofile.store.Store.within`): learning looks at it too.

    Attributes:
        events: A graph that holds more is refused: its events and what is learnt of them lie in memory.
        keep_seconds: What was learnt answers for so long whatever happens meanwhile, and what took too long is not
            tried again.
    """

    events: int
    keep_seconds: float


@dataclass(frozen=True)
class Events:
    """The events of a graph, as far as they say who liked what.

    Attributes:
        graph: Users, objects and events.
        change: Of the store when they were read.
    """

    graph: TrainingGraph
    change: tuple[Any, ...]

    @cached_property
    def pairs(self) -> sp.csr_matrix:
        """CSR of ones [num_users, num_objects]: a positive event."""
        return m.pair_matrix(self.graph, positive=True)

    @cached_property
    def popularity(self) -> npt.NDArray[np.float32]:
        """How many users liked each object, float32 [num_objects]."""
        return np.asarray(self.pairs.sum(axis=0), dtype=np.float32).ravel()

    @cached_property
    def users(self) -> dict[str, int]:
        """Row of each user."""
        return {str(id_): row for row, id_ in enumerate(self.graph.user_ids)}


@dataclass(frozen=True)
class Learnt:
    """A method that has learnt.

    Attributes:
        events: From these.
        fitted: What it gives.
        at: When it was last seen to be up to date, seconds, monotonic.
    """

    events: Events
    fitted: Fitted
    at: float


class Fits:
    """What classic methods learnt from one graph.

    Args:
        store: The graph.
        vocabulary: The rules in use.
    """

    def __init__(self, store: Store, vocabulary: Vocabulary) -> None:
        self._store, self._vocabulary = store, vocabulary
        self._learning = threading.Lock()
        self._events: Events | None = None
        self._kept: dict[str, Learnt] = {}
        self._late: dict[str, tuple[float, QueryTimeout]] = {}

    def events(self) -> Events:
        """The events as they are now.

        Raises:
            TooLittleData: Nobody liked anything.
        """
        with self._learning:
            return self._read(self._change())

    def learnt(self, name: str, bounds: Bounds | None = None) -> Learnt:
        """What a method knows.

        Args:
            name: Of :data:`graphprofile.collaborative.METHODS`.
            bounds: For who may not learn at any cost; then what was learnt a while ago will do, too.

        Raises:
            UsageError: No such method.
            TooLittleData: Nobody liked anything.
            Busy: Within bounds: somebody else makes this process learn just now.
            QueryTooLarge: Within bounds: the graph holds too much.
            QueryTimeout: It takes longer than this thread's reads may take.
        """
        method_named(name)
        if bounds is None:
            with self._learning:
                return self._learn(name)
        kept = self._kept.get(name)
        if kept is not None and time.monotonic() - kept.at < bounds.keep_seconds:
            return kept
        if not self._learning.acquire(blocking=False):
            if kept is not None:
                return kept
            raise Busy("Another method learns from the graph just now.", "Try again in a moment.")
        try:
            return self._learn_within(name, bounds)
        finally:
            self._learning.release()

    def _learn_within(self, name: str, bounds: Bounds) -> Learnt:
        at, late = self._late.get(name, (0.0, None))
        if late is not None and time.monotonic() - at < bounds.keep_seconds:
            raise QueryTimeout(late.message, late.hint)
        held = sum(count_events(self._store, self._vocabulary).values())
        if held > bounds.events:
            raise QueryTooLarge(
                f"The graph holds {held:,} events; {name} learns here from {bounds.events:,} at most.",
                "Leave the method out: the embeddings have no such limit. Or raise method_events under [http].",
            )
        try:
            return self._learn(name)
        except QueryTimeout as error:
            self._late[name] = (
                time.monotonic(),
                QueryTimeout(
                    f"Learning {name} from the graph took too long and was ended: {error.message}",
                    "Leave the method out: the embeddings answer at once. Or raise insight_seconds under [http].",
                ),
            )
            raise self._late[name][1] from error

    def _learn(self, name: str) -> Learnt:
        change = self._change()
        kept = self._kept.get(name)
        if kept is None or kept.events.change != change:
            events = self._read(change)
            self._store.check_time()
            fitted = method_named(name)[0].fit(events.pairs, self._store.check_time)
            kept = Learnt(events, fitted, time.monotonic())
            # What others learnt from events before these would keep those in memory.
            self._kept = {other: one for other, one in self._kept.items() if one.events is events}
        self._kept[name] = Learnt(kept.events, kept.fitted, time.monotonic())
        return self._kept[name]

    def _change(self) -> tuple[Any, ...]:
        row = self._store.read("embed/read_change")[0]
        return row["users"], row["revisions"], watermark(self._store)

    def _read(self, change: tuple[Any, ...]) -> Events:
        if self._events is None or self._events.change != change:
            self._events = Events(events_graph(self._store, self._vocabulary), change)
        if not self._events.pairs.nnz:
            raise TooLittleData(
                "no user has an event of positive weight",
                "Load events of kinds that say somebody liked something.",
            )
        return self._events
