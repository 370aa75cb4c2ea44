from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from graphprofile.errors import TooLittleData
from graphprofile.graphsage import metrics as m
from graphprofile.graphsage.data import TrainingGraph


def graph(events: list[tuple[int, int, float, int]], users: int, objects: int) -> TrainingGraph:
    columns = list(zip(*events, strict=True))
    return TrainingGraph(
        user_ids=np.array([f"u{i}" for i in range(users)], dtype=object),
        object_ids=np.array([f"o{i}" for i in range(objects)], dtype=object),
        event_types=("liked",),
        event_user=columns[0],
        event_object=columns[1],
        event_type=np.zeros(len(events)),
        event_weight=columns[2],
        event_ts=columns[3],
    )


def test_rank_metrics_by_hand() -> None:
    ranked = np.array([[3, 1, 2], [0, 4, -1]])
    targets = sp.csr_matrix(np.array([[0, 1, 0, 0, 1], [1, 0, 0, 0, 0]], dtype=np.float32))
    recall, ndcg = m.rank_metrics(ranked, targets, k=3)
    assert recall == pytest.approx([0.5, 1.0])
    second = 1 / np.log2(3)
    assert ndcg == pytest.approx([second / (1 + second), 1.0])


def test_ideal_is_cut_at_k() -> None:
    targets = sp.csr_matrix(np.ones((1, 5), dtype=np.float32))
    recall, ndcg = m.rank_metrics(np.array([[0, 1]]), targets, k=2)
    assert recall == pytest.approx([2 / 5])
    assert ndcg == pytest.approx([1.0])


def test_top_k_orders_and_breaks_ties_by_index() -> None:
    scores = np.array([[1.0, 5.0, 5.0, 5.0, -np.inf], [-np.inf, -np.inf, 2.0, -np.inf, -np.inf]])
    assert m.top_k(scores, 2).tolist() == [[1, 2], [2, -1]]
    assert m.top_k(scores, 9).tolist() == [[1, 2, 3, 0, -1], [2, -1, -1, -1, -1]]


def test_protocol_masks_and_targets() -> None:
    events = [
        (0, 0, 1.0, 1),  # history of user 0
        (1, 1, 1.0, 2),  # makes object 1 a candidate
        (1, 2, -1.0, 3),  # makes object 2 a candidate, seen by user 1
        (0, 1, 1.0, 20),  # target
        (0, 0, 1.0, 21),  # a repetition: no target
        (0, 3, 1.0, 22),  # object 3 was not known: no target
        (1, 2, 1.0, 23),  # seen before, though disliked: no target
        (1, 0, -1.0, 24),  # not positive: no target
        (2, 1, 1.0, 25),  # no history: counted, not scored
    ]
    whole = graph(events, users=3, objects=5)
    protocol = m.Protocol(m.Split(whole.before(10), whole.after(10), 10))
    assert protocol.candidates.tolist() == [True, True, True, False, False]
    assert protocol.users.tolist() == [0]
    assert protocol.targets.toarray().tolist() == [[0, 1, 0, 0, 0]]
    assert protocol.users_without_history == 1
    assert protocol.unknown_share == pytest.approx(1 / 5)
    masked = protocol.masked(np.zeros((1, 5)), slice(0, 1))
    assert masked.tolist() == [[-np.inf, 0.0, 0.0, -np.inf, -np.inf]]


def test_popularity_counts_users_not_events() -> None:
    train = graph([(0, 0, 1.0, 1), (0, 0, 1.0, 2), (0, 1, 1.0, 3), (1, 1, 1.0, 4), (1, 0, -1.0, 5)], 2, 3)
    assert m.popularity(train)(np.array([0, 1])).tolist() == [[1, 2, 0], [1, 2, 0]]


def test_item_to_item_by_hand() -> None:
    # Objects 0 and 1 share one of their users: cosine 1 / sqrt(2 * 1).
    train = graph([(0, 0, 1.0, 1), (0, 1, 1.0, 2), (1, 0, 1.0, 3), (2, 2, 1.0, 4)], 3, 3)
    scores = m.item_to_item(train)(np.array([0, 1, 2]))
    cosine = 1 / np.sqrt(2)
    assert scores == pytest.approx(np.array([[cosine, cosine, 0], [0, cosine, 0], [0, 0, 0]]), abs=1e-6)


def test_time_split_keeps_equal_times_together() -> None:
    whole = graph([(0, i, 1.0, ts) for i, ts in enumerate([1, 2, 2, 3, 3])], 1, 5)
    split = m.time_split(whole, 0.8)
    assert (split.kind, split.at) == ("time", 2)
    assert split.train.event_ts.tolist() == [1, 2, 2]
    assert split.test.event_ts.tolist() == [3, 3]
    assert split.train.num_objects == 5


def test_without_times_the_split_is_random_by_pair() -> None:
    pairs = [(u, i, 1.0, 7) for u in range(20) for i in range(10)]
    whole = graph(pairs + pairs, 20, 10)
    split = m.time_split(whole, 0.8, seed=3)
    assert split.kind == "random"
    train = set(zip(split.train.event_user.tolist(), split.train.event_object.tolist(), strict=True))
    test = set(zip(split.test.event_user.tolist(), split.test.event_object.tolist(), strict=True))
    assert not train & test
    assert 0.1 < len(test) / 200 < 0.3


def test_one_event_cannot_be_split() -> None:
    with pytest.raises(TooLittleData, match="only 1 events"):
        m.time_split(graph([(0, 0, 1.0, 1)], 1, 1))


def test_interval_holds_the_mean_and_is_seeded() -> None:
    values = np.random.default_rng(0).random(200)
    low, high = m.interval(values, seed=5)
    assert low < values.mean() < high
    assert high - low < 0.12
    assert m.interval(values, seed=5) == [low, high]


def test_paired_difference_of_the_same_is_nothing() -> None:
    values = np.random.default_rng(0).random(50)
    found = m.paired_difference((values, values), (values, values), seed=0)
    assert found["ndcg_at_20"] == 0.0
    assert found["ndcg_at_20_interval"] == [0.0, 0.0]


def test_nobody_to_score() -> None:
    found = m.summarise(np.empty(0), np.empty(0), seed=0)
    assert found["users"] == 0
    assert found["recall_at_20"] is None
