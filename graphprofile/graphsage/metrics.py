"""How models are compared: one protocol, the same for every method.

The protocol, for a graph and a cut T:

* Everything is fitted on the events at or before T. Objects without such an event are not used for anything.
* **Candidates** are the objects with at least one event at or before T: what the library was known to hold.
* **Seen** by a user is every object the user has an event with at or before T, whatever the event's sign;
seen
  objects are never ranked.
* **Targets** of a user are the candidates, not seen, with which the user has an event of positive
contribution
  later than T. Repetitions of old objects are therefore not rewarded.
* **Test users** have at least one positive event with a candidate at or before T and at least one target.
Users
  with targets and no history get the declared fallback in use; they are counted (``users_without_history``)
  and not scored.

Recall@k is hits / targets, NDCG@k has binary gains and the ideal of min(targets, k) hits; both are means over
users. Intervals are the 2.5% and 97.5% points of a seeded bootstrap over users.

Where time cannot cut (less than half of the events are older than the newest), a fifth of the pairs of user
and object is held out at random, each with all its events, and the result says ``"kind": "random"``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphprofile.errors import TooLittleData
from graphprofile.graphsage.data import BoolArray, DoubleArray, FloatArray, IntArray, TrainingGraph

Scores = npt.NDArray[np.floating[Any]]
#: Scores of a block of users for every object: users [n] -> float [n, num_objects].
Scorer = Callable[[IntArray], "FloatArray | DoubleArray"]

BLOCK_CELLS = 16_000_000
#: Cells of a sparse product that are held at once.
MOST_COSINES = 40_000_000


class Metrics(TypedDict):
    """Metrics of one method; values are None where no user could be scored."""

    recall_at_20: float | None
    ndcg_at_20: float | None
    users: int
    recall_at_20_interval: list[float] | None
    ndcg_at_20_interval: list[float] | None


@dataclass(frozen=True)
class Split:
    """A graph cut into what may be learned from and what is predicted.

    Attributes:
        train: Events at or before the cut.
        test: Events after it.
        at: The cut, epoch ms; None for a random split.
    """

    train: TrainingGraph
    test: TrainingGraph
    at: int | None

    @property
    def kind(self) -> str:
        """``time`` or ``random``."""
        return "random" if self.at is None else "time"


def time_split(graph: TrainingGraph, fraction: float = 0.8, *, seed: int = 0) -> Split:
    """Cuts a graph at the time by which ``fraction`` of its events had happened.

    Args:
        graph: The graph to cut.
        fraction: Share of events to learn from, in (0, 1). Events of the same time stay together.
        seed: Used only where all events have one time and the split has to be random.

    Raises:
        TooLittleData: The graph has fewer than two events.
    """
    if graph.num_events < 2:
        raise TooLittleData(
            f"only {graph.num_events} events: nothing to split",
            "Load more events, then train again.",
        )
    times = np.sort(graph.event_ts)
    at = int(times[max(0, int(fraction * len(times)) - 1)])
    if at == times[-1]:
        earlier = times[times < at]
        if len(earlier) < 0.5 * len(times):
            return _random_split(graph, fraction, seed)
        at = int(earlier[-1])
    return Split(graph.before(at), graph.after(at), at)


def _random_split(graph: TrainingGraph, fraction: float, seed: int) -> Split:
    """Holds out whole (user, object) pairs, so that an event's copy never stays behind."""
    pair = graph.event_user * graph.num_objects + graph.event_object
    unique, position = np.unique(pair, return_inverse=True)
    held = np.random.default_rng(seed).random(len(unique)) >= fraction
    return Split(graph.select(~held[position]), graph.select(held[position]), None)


def pair_matrix(graph: TrainingGraph, *, positive: bool) -> sp.csr_matrix:
    """Which user has an event with which object, float32 CSR of ones [num_users, num_objects].

    Args:
        graph: The graph.
        positive: Only events with a positive contribution.
    """
    keep = graph.event_weight > 0 if positive else np.ones(graph.num_events, dtype=np.bool_)
    rows, columns = graph.event_user[keep], graph.event_object[keep]
    matrix = sp.csr_matrix(
        (np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=(graph.num_users, graph.num_objects)
    )
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


class Protocol:
    """Test users, candidates, targets and what is masked, for one split.

    Attributes:
        split: The split it was made of.
        candidates: bool [num_objects].
        users: Test users, int64 [num_test_users].
        targets: CSR of ones [num_test_users, num_objects].
        seen: CSR of ones [num_users, num_objects].
        users_without_history: Users with something to predict and no positive event before the cut.
        unknown_share: Share of the positive test events whose object was not a candidate.
    """

    def __init__(self, split: Split, *, max_users: int | None = None, seed: int = 0) -> None:
        self.split = split
        self.seen = pair_matrix(split.train, positive=False)
        self.candidates: BoolArray = np.asarray(self.seen.sum(axis=0)).ravel() > 0
        wanted = pair_matrix(split.test, positive=True)
        wanted = wanted - wanted.multiply(self.seen)
        wanted = wanted.multiply(self.candidates[None, :].astype(np.float32)).tocsr()
        wanted.eliminate_zeros()
        wanted.sort_indices()
        has_target = np.diff(wanted.indptr) > 0
        history = np.asarray(pair_matrix(split.train, positive=True).sum(axis=1)).ravel() > 0
        users = np.flatnonzero(has_target & history)
        if max_users is not None and len(users) > max_users:
            users = np.sort(np.random.default_rng(seed).choice(users, max_users, replace=False))
        self.users: IntArray = users.astype(np.int64)
        self.targets: sp.csr_matrix = wanted[self.users]
        self.users_without_history = int((has_target & ~history).sum())
        positive = split.test.event_weight > 0
        known = self.candidates[split.test.event_object[positive]]
        self.unknown_share = float(1.0 - known.mean()) if len(known) else 0.0

    def blocks(self) -> list[slice]:
        """Slices over the test users such that a block of scores stays below ``BLOCK_CELLS``."""
        size = max(1, BLOCK_CELLS // max(1, len(self.candidates)))
        return [slice(start, min(start + size, len(self.users))) for start in range(0, len(self.users), size)]

    def masked(self, scores: FloatArray | DoubleArray, block: slice) -> Scores:
        """The scores with everything that may not be ranked at minus infinity.

        Args:
            scores: float [block, num_objects].
            block: Which test users the rows are.
        """
        out: Scores = np.array(scores)
        out[:, ~self.candidates] = -np.inf
        rows, columns = self.seen[self.users[block]].nonzero()
        out[rows, columns] = -np.inf
        return out

    def per_user(self, scorer: Scorer, k: int = 20) -> tuple[DoubleArray, DoubleArray]:
        """Recall@k and NDCG@k of each test user.

        Args:
            scorer: The method.
            k: Length of the list.

        Returns:
            Two float64 arrays [num_test_users].
        """
        return rank_metrics(self.ranked(scorer, k), self.targets, k)

    def ranked(self, scorer: Scorer, k: int = 20) -> IntArray:
        """The k best objects of each test user, best first, -1 where nothing is left, int64 [num_test_users, k].

        Args:
            scorer: The method.
            k: Length of the list, at most the number of objects.
        """
        out = np.full((len(self.users), min(k, len(self.candidates))), -1, dtype=np.int64)
        for block in self.blocks():
            out[block] = top_k(self.masked(scorer(self.users[block]), block), k)
        return out


def top_k(scores: Scores, k: int) -> IntArray:
    """The k best columns of each row, best first; ties go to the smaller index; -1 where nothing is left.

    Args:
        scores: float [n, num_objects]; minus infinity is never ranked.
        k: How many.
    """
    k = min(k, scores.shape[1])
    columns = np.argpartition(-scores, k - 1, axis=1)[:, :k] if k < scores.shape[1] else None
    if columns is None:
        columns = np.tile(np.arange(scores.shape[1]), (len(scores), 1))
    else:
        # argpartition cuts ties at the border as it pleases; the smallest indices among the tied are wanted.
        border = np.take_along_axis(scores, columns, axis=1).min(axis=1)
        for row in np.flatnonzero((scores >= border[:, None]).sum(axis=1) > k):
            above = np.flatnonzero(scores[row] > border[row])
            tied = np.flatnonzero(scores[row] == border[row])
            columns[row] = np.concatenate([above, tied[: k - len(above)]])
    values = np.take_along_axis(scores, columns, axis=1)
    order = np.lexsort((columns, -values), axis=1)
    columns = np.take_along_axis(columns, order, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    ranked: IntArray = np.where(np.isneginf(values), -1, columns).astype(np.int64)
    return ranked


def rank_metrics(ranked: IntArray, targets: sp.csr_matrix, k: int = 20) -> tuple[DoubleArray, DoubleArray]:
    """Recall@k (hits / targets) and NDCG@k (binary gains, ideal of min(targets, k) hits) of ranked lists.

    Args:
        ranked: Object indices, best first, -1 for no object, int64 [n, <=k].
        targets: CSR with an entry per target [n, num_objects]; every row has at least one.
        k: Length of the list.

    Returns:
        Two float64 arrays [n].
    """
    found = hits(ranked, targets)
    count = np.diff(targets.indptr)
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)[np.minimum(count, k) - 1]
    return found.sum(axis=1) / count, (found * discount[: ranked.shape[1]]).sum(axis=1) / ideal


def hits(ranked: IntArray, targets: sp.csr_matrix) -> DoubleArray:
    """1 where an entry of a ranked list is a target, float64 [n, length of the lists].

    Args:
        ranked: As for ``rank_metrics``.
        targets: As for ``rank_metrics``.
    """
    found = np.zeros(ranked.shape, dtype=np.float64)
    for row in range(len(ranked)):
        wanted = targets.indices[targets.indptr[row] : targets.indptr[row + 1]]
        found[row] = np.isin(ranked[row], wanted)
    return found


def bootstrap_means(values: DoubleArray, *, seed: int, samples: int = 2000) -> DoubleArray:
    """Means of bootstrap resamples of users, float64 [samples]; the same seed draws the same users."""
    rng = np.random.default_rng(seed)
    means = np.empty(samples)
    for sample in range(samples):
        means[sample] = values[rng.integers(0, len(values), len(values))].mean()
    return means


def interval(values: DoubleArray, *, seed: int) -> list[float]:
    """The 95% bootstrap interval of the mean over users."""
    low, high = np.quantile(bootstrap_means(values, seed=seed), [0.025, 0.975])
    return [float(low), float(high)]


def summarise(recall: DoubleArray, ndcg: DoubleArray, *, seed: int) -> Metrics:
    """Means and intervals of one method from its values per user."""
    if len(recall) == 0:
        return Metrics(
            recall_at_20=None, ndcg_at_20=None, users=0, recall_at_20_interval=None, ndcg_at_20_interval=None
        )
    return Metrics(
        recall_at_20=float(recall.mean()),
        ndcg_at_20=float(ndcg.mean()),
        users=len(recall),
        recall_at_20_interval=interval(recall, seed=seed),
        ndcg_at_20_interval=interval(ndcg, seed=seed),
    )


def popularity(train: TrainingGraph) -> Scorer:
    """Baseline: the number of users with a positive event, the same list for everybody."""
    counts = np.asarray(pair_matrix(train, positive=True).sum(axis=0)).ravel()

    def score(users: IntArray) -> DoubleArray:
        return np.tile(counts.astype(np.float64), (len(users), 1))

    return score


def item_to_item(train: TrainingGraph) -> Scorer:
    """Baseline: the sum over the user's objects of the cosine of their sets of users.

    Source: Deshpande and Karypis, "Item-based top-N recommendation algorithms", TOIS 2004.
    """
    pairs = pair_matrix(train, positive=True)
    count = np.asarray(pairs.sum(axis=0)).ravel()
    scaled = (pairs @ sp.diags_array(1.0 / np.sqrt(np.maximum(count, 1.0)))).tocsr()
    squared = np.asarray(scaled.multiply(scaled).sum(axis=0)).ravel()
    # Through the users of an object with a million of them each score would touch a million rows; where histories are
    # short the cosines of all objects are few.
    close = (
        scaled.T @ scaled if (np.diff(pairs.indptr).astype(np.float64) ** 2).sum() <= MOST_COSINES else None
    )

    def score(users: IntArray) -> DoubleArray:
        mine = pairs[users]
        # The object itself is no neighbour of its own: its share of the product is taken off again.
        if close is not None:
            near = (mine @ close).toarray()
        else:
            near = np.concatenate(
                [((part @ scaled.T) @ scaled).toarray() for part in _of_bounded_reach(mine, count)]
            )
        out: DoubleArray = near.astype(np.float64) - mine.toarray() * squared[None, :]
        return out

    return score


def _of_bounded_reach(mine: sp.csr_matrix, count: DoubleArray) -> Iterator[sp.csr_matrix]:
    """Rows in stretches whose objects have no more than ``MOST_COSINES`` users in all, one row at least."""
    reach = np.cumsum(mine @ count)
    start = 0
    while start < mine.shape[0]:
        base = reach[start - 1] if start else 0.0
        end = max(start + 1, int(np.searchsorted(reach, base + MOST_COSINES, side="right")))
        yield mine[start:end]
        start = end


def evaluate(
    protocol: Protocol, methods: dict[str, Scorer], *, seed: int = 0, k: int = 20
) -> tuple[dict[str, Metrics], dict[str, tuple[DoubleArray, DoubleArray]]]:
    """Scores every method on the same users.

    Args:
        protocol: Users, targets and masks.
        methods: Name to scorer.
        seed: Of the bootstrap.
        k: Length of the lists; the keys say 20 and mean this.

    Returns:
        Metrics per method, and per method the values of each test user (for paired comparison).
    """
    per_user = {name: protocol.per_user(scorer, k) for name, scorer in methods.items()}
    return {name: summarise(*values, seed=seed) for name, values in per_user.items()}, per_user


def paired_difference(
    mine: tuple[DoubleArray, DoubleArray], other: tuple[DoubleArray, DoubleArray], *, seed: int
) -> dict[str, Any]:
    """Difference of two methods on the same users with paired bootstrap intervals.

    Args:
        mine: Recall and NDCG per user.
        other: The same of the other method.
        seed: Of the bootstrap.
    """
    out: dict[str, Any] = {}
    for name, a, b in zip(("recall_at_20", "ndcg_at_20"), mine, other, strict=True):
        out[name] = float((a - b).mean()) if len(a) else None
        out[f"{name}_interval"] = interval(a - b, seed=seed) if len(a) else None
    return out


def describe(protocol: Protocol) -> dict[str, Any]:
    """The split in words and counts, for the model's record."""
    return {
        "kind": protocol.split.kind,
        "at": protocol.split.at,
        "train_events": protocol.split.train.num_events,
        "test_events": protocol.split.test.num_events,
        "candidates": int(protocol.candidates.sum()),
        "users": len(protocol.users),
        "users_without_history": protocol.users_without_history,
        "targets": int(protocol.targets.nnz),
        "unknown_object_share": protocol.unknown_share,
    }


__all__: Sequence[str] = [
    "Metrics",
    "Protocol",
    "Scorer",
    "Split",
    "bootstrap_means",
    "describe",
    "evaluate",
    "interval",
    "item_to_item",
    "pair_matrix",
    "paired_difference",
    "popularity",
    "rank_metrics",
    "summarise",
    "time_split",
    "top_k",
]
