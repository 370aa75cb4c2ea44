"""The hop over drawn neighbours: exact where all are drawn, right on average where not, and blind to what is hidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_graphs import SMALL, checkerboard

from graphprofile.errors import UsageError
from graphprofile.graphsage.config import Choices, TrainConfig
from graphprofile.graphsage.data import IntArray, TrainingGraph
from graphprofile.graphsage.loop import Run, propagation
from graphprofile.graphsage.sampled import OBJECT_OF_USER, USER_OF_OBJECT
from graphprofile.graphsage.train import fit

SAMPLED = replace(SMALL, propagation="sampled", row_dropout=0.0)


def signed() -> TrainingGraph:
    """The checkerboard with two kinds of events of all signs."""
    base = checkerboard(users=60, objects=30)
    random = np.random.default_rng(2)
    return replace(
        base,
        event_types=("liked", "rated"),
        event_type=random.integers(0, 2, base.num_events),
        event_weight=random.choice([1.0, 2.5, 0.0, -1.0], base.num_events, p=[0.5, 0.2, 0.15, 0.15]),
    )


def tables(run: Run, objects: IntArray, hidden: IntArray) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of objects over drawn neighbours."""
    assert run.sampler is not None
    inputs, targets = run.network.sampled(run.sampler.neighbourhood(objects, hidden), hidden)
    return inputs.detach().numpy(), targets.detach().numpy()


def whole(run: Run, hidden: IntArray) -> tuple[np.ndarray, np.ndarray]:
    """The same of all objects over the whole graph."""
    kept = run._hide(hidden)
    inputs, targets = run.network()
    run._restore(kept)
    return inputs.detach().numpy(), targets.detach().numpy()


@pytest.fixture(params=[True, False])
def trained_a_little(request: pytest.FixtureRequest) -> Run:
    recipe = replace(SAMPLED, fanout=(1000, 1000), smooth_inputs=request.param)
    run = Run(signed(), recipe, sequence=False)
    run.epoch()
    return run


def test_all_neighbours_drawn_is_the_whole_graph(trained_a_little: Run) -> None:
    run = trained_a_little
    random = np.random.default_rng(0)
    hidden = np.sort(random.choice(len(run.interactions), 80, replace=False))
    objects = np.sort(random.choice(run.graph.num_objects, 11, replace=False))
    for mine, all_ in zip(tables(run, objects, hidden), whole(run, hidden), strict=True):
        np.testing.assert_allclose(mine, all_[objects], rtol=2e-4, atol=2e-6)
    # And hiding makes a difference.
    assert (
        np.abs(tables(run, objects, hidden)[1] - whole(run, np.empty(0, np.int64))[1][objects]).max() > 1e-3
    )


def test_hidden_edges_are_not_drawn(trained_a_little: Run) -> None:
    run = trained_a_little
    assert run.sampler is not None
    hidden = np.arange(0, len(run.interactions), 3)
    drawn = run.sampler.neighbourhood(np.arange(run.graph.num_objects), hidden)
    for name in (USER_OF_OBJECT, OBJECT_OF_USER):
        assert not set(drawn[name].e_id.tolist()) & set(hidden.tolist())
        assert (run.interactions.signs[drawn[name].channel] != 2).all()
        # Users and objects of the edges are those of the graph.
        source, target = (
            drawn[kind].n_id[ends] for kind, ends in zip(name[::2], drawn[name].edge_index, strict=True)
        )
        user, obj = (source, target) if name == USER_OF_OBJECT else (target, source)
        np.testing.assert_array_equal(user, run.interactions.user[drawn[name].e_id])
        np.testing.assert_array_equal(obj, run.interactions.object[drawn[name].e_id])


def test_few_neighbours_drawn_are_right_on_average(monkeypatch: pytest.MonkeyPatch) -> None:
    # The sums are; of a curved function of them, as the unit vector is one, that could not be asked.
    monkeypatch.setattr("graphprofile.graphsage.model.unit", lambda x: x)
    run = Run(signed(), replace(SAMPLED, fanout=(3, 1000)), sequence=False)
    objects, none = np.arange(run.graph.num_objects), np.empty(0, dtype=np.int64)
    mean = np.mean([tables(run, objects, none)[1] for _ in range(600)], axis=0)
    exact = whole(run, none)[1]
    spread = np.abs(tables(run, objects, none)[1] - exact).mean()
    assert spread > 0.01
    assert np.abs(mean - exact).mean() < spread / 8


def test_it_learns_with_drawn_neighbours() -> None:
    graph = checkerboard()
    model = fit(graph, replace(SAMPLED, fanout=(3, 3), num_negatives=16), choices=Choices(epochs=6))
    users, _ = model.encode(graph)
    scores = np.array(model.scores(users))
    scores[graph.event_user, graph.event_object] = -np.inf
    best = np.argsort(-scores, axis=1)[:, :3]
    assert (best % 2 == (np.arange(len(best)) % 2)[:, None]).all()
    assert model.choices["propagation"] == "sampled"


def test_an_object_with_a_crowd_costs_no_more_than_another() -> None:
    graph = checkerboard(users=3000, objects=24, per_user=8)
    crowd = replace(
        graph,
        event_user=np.concatenate([graph.event_user, np.arange(3000)]),
        event_object=np.concatenate([graph.event_object, np.zeros(3000, dtype=np.int64)]),
        event_type=np.zeros(graph.num_events + 3000),
        event_weight=np.ones(graph.num_events + 3000),
        event_ts=np.zeros(graph.num_events + 3000),
    )
    run = Run(crowd, replace(SAMPLED, fanout=(5, 4)), sequence=False)
    assert run.sampler is not None
    drawn = run.sampler.neighbourhood(np.array([0, 1]), np.empty(0, dtype=np.int64))
    assert drawn[USER_OF_OBJECT].num_edges == 10
    assert drawn[OBJECT_OF_USER].num_edges <= 40


def test_chosen_by_size() -> None:
    graph = checkerboard()
    assert propagation(graph, TrainConfig()) == "full"
    assert propagation(graph, TrainConfig(step_bytes=1000)) == "sampled"
    assert propagation(graph, TrainConfig(propagation="sampled")) == "sampled"
    assert torch.equal(
        Run(graph, SMALL, sequence=False).network.table, Run(graph, SAMPLED, False).network.table
    )
    for wrong in ({"propagation": "some"}, {"fanout": (0, 5)}, {"fanout": (5,)}):
        with pytest.raises(UsageError):
            TrainConfig(**wrong)
