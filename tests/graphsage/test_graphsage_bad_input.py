"""Graphs nobody would wish for: a clear error or a right result, never a silent bad vector."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_graphs import SMALL, checkerboard

from graphprofile.errors import BadVectors, TooLittleData
from graphprofile.export import feature_tokens
from graphprofile.graphsage import metrics as m
from graphprofile.graphsage.compare import train
from graphprofile.graphsage.config import Choices, TrainConfig
from graphprofile.graphsage.data import TrainingGraph
from graphprofile.graphsage.fitted import FittedModel
from graphprofile.graphsage.train import fit

CHOICES = Choices(epochs=6)


def with_events(graph: TrainingGraph, user: Any, obj: Any, ts: Any = 0) -> TrainingGraph:
    """The graph with more events of its first type, weight 1."""
    count = len(user)
    return replace(
        graph,
        event_user=np.concatenate([graph.event_user, user]),
        event_object=np.concatenate([graph.event_object, obj]),
        event_type=np.concatenate([graph.event_type, np.zeros(count)]),
        event_weight=np.concatenate([graph.event_weight, np.ones(count)]),
        event_ts=np.concatenate([graph.event_ts, np.broadcast_to(ts, count)]),
    )


def lean(model: FittedModel, users: np.ndarray, odd: np.ndarray, even: np.ndarray) -> np.ndarray:
    """How much more each user likes the odd objects than the even ones, cosine."""
    return users @ model.targets[odd].mean(axis=0) - users @ model.targets[even].mean(axis=0)


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (checkerboard(users=1), "1 users with two or more"),
        (checkerboard(objects=2, per_user=1), "0 users with two or more .* 2 liked objects"),
        (checkerboard(users=2, objects=24, per_user=12), "2 users with two or more"),
        (checkerboard().select(np.zeros(320, dtype=bool)), "only 0 events"),
    ],
    ids=["one user", "one item each", "two users", "no event"],
)
def test_too_small(graph: TrainingGraph, words: str) -> None:
    with pytest.raises(TooLittleData, match=words):
        train(graph, config=SMALL)


def test_one_item() -> None:
    graph = checkerboard()
    with pytest.raises(TooLittleData, match=r"1 liked objects \(needed: 4\)"):
        train(replace(graph, event_object=np.zeros(graph.num_events, dtype=np.int64)), config=SMALL)


def test_all_users_identical() -> None:
    """Either it is refused with the reason, or all get one whole vector that is nearest to what they all chose."""
    graph = checkerboard(users=30, objects=12, per_user=6, tags=False)
    same = replace(graph, event_object=np.tile(np.arange(6), 30), event_ts=np.tile(np.arange(6), 30))
    try:
        model = fit(same, SMALL, choices=CHOICES)
    except BadVectors as error:
        assert "alike" in (error.hint or "")  # noqa: PT017
        return
    users, usable = model.encode(same)
    assert usable.all()
    assert np.ptp(users, axis=0).max() < 1e-6
    assert np.linalg.norm(users, axis=1) == pytest.approx(np.ones(30), abs=1e-5)
    assert (m.top_k(model.scores(users[:1]).astype(np.float64), 6) < 6).all()


def test_an_isolated_component() -> None:
    """A village that shares no user and no object with the rest learns its own, and the rest is as good as before."""
    graph = checkerboard(tags=False)
    users, objects = graph.num_users, graph.num_objects
    village = replace(
        graph,
        user_ids=np.concatenate([graph.user_ids, [f"v{i}" for i in range(6)]]),
        object_ids=np.concatenate([graph.object_ids, [f"w{i}" for i in range(5)]]),
        object_kind=np.zeros(objects + 5, dtype=np.int8),
    )
    who = np.repeat(np.arange(6), 4)
    what = np.concatenate([np.delete(np.arange(5), i % 5) for i in range(6)])
    joined = with_events(village, users + who, objects + what)
    model = fit(joined, SMALL, choices=CHOICES)
    vectors, usable = model.encode(joined)
    assert usable.all()
    assert (lean(model, vectors[:users:2], np.arange(0, objects, 2), np.arange(1, objects, 2)) > 0.1).all()
    here, there = np.arange(objects, objects + 5), np.arange(objects)
    assert (lean(model, vectors[users:], here, there) > 0.1).all()


def test_a_user_and_an_object_alone_together() -> None:
    graph = checkerboard()
    alone = replace(
        graph,
        user_ids=np.append(graph.user_ids, "hermit"),
        object_ids=np.append(graph.object_ids, "cave"),
        object_kind=np.append(graph.object_kind, 0),
    )
    alone = with_events(alone, [graph.num_users], [graph.num_objects])
    model = fit(alone, SMALL, choices=CHOICES)
    vectors, usable = model.encode(alone)
    assert usable[-1]
    assert np.linalg.norm(vectors[-1]) == pytest.approx(1.0, abs=1e-5)
    stored, _ = model.stored_objects()
    assert np.isfinite(stored).all()


def test_duplicate_edges_change_strength_and_nothing_else() -> None:
    """Each event a thousand times over: the same neighbours, so no user sides with the other shelf."""
    graph = checkerboard()
    many = with_events(graph, np.tile(graph.event_user, 1000), np.tile(graph.event_object, 1000))
    model = fit(many, SMALL, choices=CHOICES)
    vectors, _ = model.encode(many)
    once, _ = fit(graph, SMALL, choices=CHOICES).encode(graph)
    side = lean(model, vectors, np.arange(1, 24, 2), np.arange(0, 24, 2))
    assert (side[1::2] > 0.1).all()
    assert (side[::2] < -0.1).all()
    assert vectors.shape == once.shape


def test_one_edge_a_thousand_times_does_not_drown_a_user() -> None:
    graph = checkerboard()
    first = int(graph.event_object[graph.event_user == 1][0])
    loud = with_events(graph, np.ones(1000, dtype=np.int64), np.full(1000, first))
    model = fit(loud, SMALL, choices=CHOICES)
    vectors, _ = model.encode(loud)
    assert np.isfinite(vectors).all()
    side = lean(model, vectors, np.arange(1, 24, 2), np.arange(0, 24, 2))
    assert (side[1::2] > 0).all()


def test_nan_is_no_feature() -> None:
    assert feature_tokens({"price": float("nan"), "size": float("inf"), "year": 1994}) == ["year~1990"]
    assert feature_tokens({"year": 2011}) == ["year~2010"]


@pytest.mark.slow
def test_an_object_with_a_million_users() -> None:
    """Everybody viewed the front page; two groups of readers are told apart as if they had not."""
    rng = np.random.default_rng(0)
    crowd, fans, objects = 1_000_000, 2_000, 200
    user = np.concatenate([np.arange(crowd), np.repeat(np.arange(fans), 8)])
    own = 1 + 2 * rng.integers(0, (objects - 1) // 2, fans * 8) + np.repeat(np.arange(fans) % 2, 8)
    obj = np.concatenate([np.zeros(crowd, dtype=np.int64), own])
    graph = TrainingGraph(
        user_ids=np.arange(crowd).astype(object),
        object_ids=np.arange(objects).astype(object),
        event_types=("viewed",),
        event_user=user,
        event_object=obj,
        event_type=np.zeros(len(user)),
        event_weight=np.ones(len(user)),
        event_ts=rng.integers(0, 10**10, len(user)),
    )
    model = fit(graph, TrainConfig(dim=8, epochs=2), choices=Choices(epochs=2))
    vectors, usable = model.encode(graph)
    assert usable.all()
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(crowd), abs=1e-4)
    side = lean(model, vectors[:fans], np.arange(1, objects, 2), np.arange(2, objects, 2))
    assert (side[::2] > 0).mean() > 0.99
    assert (side[1::2] < 0).mean() > 0.99
    near = m.item_to_item(graph)(np.arange(100))
    assert np.isfinite(near).all()
