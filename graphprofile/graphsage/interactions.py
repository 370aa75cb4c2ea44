"""Events grouped into interactions: one per user, object and channel, in a canonical order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from graphprofile.graphsage.data import SIGNS, DoubleArray, FloatArray, IntArray, TrainingGraph

DAY_MS = 86_400_000.0


@dataclass(frozen=True)
class Interactions:
    """What users did with objects, sorted by user, object and channel.

    Attributes:
        num_users: Rows of the matrices made of this.
        num_objects: Columns of the matrices made of this.
        user: int64 [n].
        object: int64 [n].
        channel: Index into ``names``, int64 [n].
        strength: Sum of |contribution| of the events (their number where the contribution is 0), float32 [n].
        ts: Time of the latest of the events, epoch ms, int64 [n].
        names: Names of the channels in use, such as ``rated+``.
    """

    num_users: int
    num_objects: int
    user: IntArray
    object: IntArray
    channel: IntArray
    strength: FloatArray
    ts: IntArray
    names: tuple[str, ...]

    @classmethod
    def of(cls, graph: TrainingGraph) -> Interactions:
        """Groups the events of a graph; the result does not depend on their order."""
        channel, names = graph.channels()
        used = np.unique(channel)
        narrow = np.searchsorted(used, channel).astype(np.int64)
        amount = np.where(graph.event_weight == 0, 1.0, np.abs(graph.event_weight)).astype(np.float64)
        # Sums of floats depend on their order in the last bit, and training would carry that bit into every
        # vector.
        order = np.lexsort((amount, graph.event_ts, narrow, graph.event_object, graph.event_user))
        user, obj, narrow = graph.event_user[order], graph.event_object[order], narrow[order]
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = (np.diff(user) != 0) | (np.diff(obj) != 0) | (np.diff(narrow) != 0)
        starts = np.flatnonzero(first)
        strength = np.add.reduceat(amount[order], starts) if len(starts) else np.empty(0)
        ends = np.append(starts[1:], len(order)) - 1 if len(starts) else starts
        return cls(
            num_users=graph.num_users,
            num_objects=graph.num_objects,
            user=user[starts],
            object=obj[starts],
            channel=narrow[starts],
            strength=strength.astype(np.float32),
            ts=graph.event_ts[order][ends],
            names=tuple(names[i] for i in used),
        )

    def __len__(self) -> int:
        return len(self.user)

    @property
    def signs(self) -> npt.NDArray[np.int64]:
        """Index into ``SIGNS`` of each channel, int64 [num_channels]."""
        return np.array([SIGNS.index(name[-1]) for name in self.names], dtype=np.int64)

    @cached_property
    def indptr(self) -> IntArray:
        """Where each user's interactions start, int64 [num_users + 1]."""
        return np.searchsorted(self.user, np.arange(self.num_users + 1)).astype(np.int64)


def recency(user: IntArray, ts: IntArray, num_users: int, half_life_days: float | None) -> DoubleArray:
    """Factor 2^(-age / half-life) of each event, its age counted from its user's own latest event.

    Counting from the user's own latest event keeps the vector a function of the user's events alone: it does
    not change as time passes.

    Args:
        user: Index of the user, int64 [n].
        ts: Epoch ms, int64 [n].
        num_users: Number of users.
        half_life_days: None for no decay.

    Returns:
        float64 [n] in (0, 1].
    """
    if half_life_days is None:
        return np.ones(len(user))
    latest = np.full(num_users, np.iinfo(np.int64).min)
    np.maximum.at(latest, user, ts)
    age_days = (latest[user] - ts) / DAY_MS
    decayed: DoubleArray = np.exp2(-age_days / half_life_days)
    return decayed


def popularity_columns(graph: TrainingGraph, half_lives_days: tuple[float | None, ...]) -> DoubleArray:
    """log(1 + number of positive events), decayed to the graph's newest event, per half-life.

    Args:
        graph: The graph.
        half_lives_days: Half-lives; None counts all events alike.

    Returns:
        float64 [num_objects, len(half_lives_days)].
    """
    positive = graph.event_weight > 0
    order = np.argsort(graph.event_ts[positive], kind="stable")
    ts, obj = graph.event_ts[positive][order], graph.event_object[positive][order]
    columns = np.zeros((graph.num_objects, len(half_lives_days)))
    if len(ts) == 0:
        return columns
    age_days = (graph.event_ts.max() - ts) / DAY_MS
    for column, half_life in enumerate(half_lives_days):
        share = np.ones(len(ts)) if half_life is None else np.exp2(-age_days / half_life)
        columns[:, column] = np.log1p(np.bincount(obj, share, minlength=graph.num_objects))
    return columns
