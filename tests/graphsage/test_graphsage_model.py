from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from small_graphs import DAY, SMALL, checkerboard

from graphprofile.errors import BadVectors, TooLittleData, UsageError
from graphprofile.graphsage import metrics as m
from graphprofile.graphsage import train as training
from graphprofile.graphsage.calibrate import HALF_LIVES_DAYS, Calibration, Evidence, calibrate
from graphprofile.graphsage.compare import evaluate_recipe, scorer, train
from graphprofile.graphsage.config import Choices, TrainConfig
from graphprofile.graphsage.data import TrainingGraph
from graphprofile.graphsage.fitted import FittedModel, Folded, with_half_life
from graphprofile.graphsage.interactions import Interactions, popularity_columns
from graphprofile.graphsage.loop import Run
from graphprofile.graphsage.model import HeteroGraphSage
from graphprofile.graphsage.softmax import LogSumExp
from graphprofile.graphsage.sums import Relation, TypedSum
from graphprofile.graphsage.train import check_enough, choose, fit

CHOICES = Choices(epochs=6)


@pytest.fixture(scope="module")
def graph() -> TrainingGraph:
    return checkerboard()


@pytest.fixture(scope="module")
def model(graph: TrainingGraph) -> FittedModel:
    return fit(graph, SMALL)


def share_of_own_group(model: FittedModel, graph: TrainingGraph) -> float:
    """Share of the ten best unseen objects of each user that are of the user's group."""
    users, _ = model.encode(graph)
    scores = np.array(model.scores(users))
    scores[graph.event_user, graph.event_object] = -np.inf
    best = m.top_k(scores, 3)
    return float((best % 2 == (np.arange(len(best)) % 2)[:, None]).mean())


# --- what it learns


def test_checkerboard(model: FittedModel, graph: TrainingGraph) -> None:
    assert share_of_own_group(model, graph) == 1.0


def test_checkerboard_with_sampled_negatives(graph: TrainingGraph) -> None:
    sampled = fit(graph, replace(SMALL, num_negatives=8), choices=CHOICES)
    assert share_of_own_group(sampled, graph) == 1.0


def test_disliked_objects_push_away() -> None:
    """A user who only dislikes even objects is an odd user, once others have shown what disliking means."""
    base = checkerboard(users=40, per_user=6)
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(40), 5)
    other = np.concatenate([rng.permutation(np.arange((u + 1) % 2, 24, 2))[:5] for u in range(40)])
    graph = replace(
        base,
        event_user=np.concatenate([base.event_user, user]),
        event_object=np.concatenate([base.event_object, other]),
        event_type=np.zeros(base.num_events + len(user)),
        event_weight=np.concatenate([base.event_weight, -np.ones(len(user))]),
        event_ts=np.concatenate([base.event_ts, np.zeros(len(user))]),
    )
    model = fit(graph, replace(SMALL, epochs=60), choices=Choices(epochs=60))
    plus, _, minus = model.channel_weights[0]
    assert plus > 0 > minus


def test_beats_popularity_on_the_checkerboard() -> None:
    graph = checkerboard(users=80, objects=60, per_user=10)
    report = train(graph, config=SMALL)
    ours = report.metrics["model"]
    assert ours is not None
    assert ours["users"] > 40
    other = report.metrics["popularity"]
    assert other is not None
    assert (ours["ndcg_at_20"] or 0) > (other["ndcg_at_20"] or 0)
    assert report.promoted
    assert report.reason == "the first model"
    assert report.metrics["current"] is None


# --- the same again


def test_same_seed_same_vectors(model: FittedModel, graph: TrainingGraph) -> None:
    again = fit(graph, SMALL)
    assert np.array_equal(again.targets, model.targets)
    assert np.array_equal(again.inputs, model.inputs)
    assert np.array_equal(again.popularity, model.popularity)
    assert again.choices == model.choices


def test_order_of_events_does_not_matter(model: FittedModel, graph: TrainingGraph) -> None:
    order = np.random.default_rng(3).permutation(graph.num_events)
    again = fit(graph.select(order), SMALL)
    assert np.array_equal(again.targets, model.targets)


def test_another_seed_gives_another_model(model: FittedModel, graph: TrainingGraph) -> None:
    assert not np.allclose(fit(graph, replace(SMALL, seed=1), choices=CHOICES).targets, model.targets)


def test_training_leaves_torch_as_it_was(graph: TrainingGraph) -> None:
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    fit(graph, replace(SMALL, epochs=1), choices=Choices(epochs=1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


# --- no leaks


def test_targets_are_never_in_the_message_passing(graph: TrainingGraph) -> None:
    run = Run(graph, SMALL, sequence=False)
    seen: list[Any] = []
    loss = run._loss

    def spy(batch: Any) -> Any:
        weights = run.network.relations[0].matrix.values()
        backward = run.network.relations[0].transposed.values()
        seen.append((batch, int((weights == 0).sum()), int((backward == 0).sum())))
        given = set(zip(batch.edge_rows.tolist(), batch.edges.tolist(), strict=True))
        assert not given & set(zip(batch.target_rows.tolist(), batch.targets.tolist(), strict=True))
        return loss(batch)

    run._loss = spy  # type: ignore[method-assign]
    run.epoch()
    for batch, hidden, hidden_backward in seen:
        assert set(batch.targets.tolist()) <= set(batch.hidden.tolist())
        assert hidden == hidden_backward == len(batch.hidden) > 0
    # Afterwards every edge is back.
    assert (run.network.relations[0].matrix.values() == 1).all()
    assert (run.network.relations[0].transposed.values() == 1).all()


def test_each_part_of_a_history_predicts_the_other(graph: TrainingGraph) -> None:
    run = Run(graph, SMALL, sequence=False)
    batch = run._batch(np.arange(10))
    assert batch.users.tolist() == [*range(10), *range(10)]
    for row in range(10):
        mine, other = batch.edges[batch.edge_rows == row], batch.edges[batch.edge_rows == row + 10]
        assert set(batch.targets[batch.target_rows == row]) == (set(other) if len(mine) else set())
        assert set(batch.targets[batch.target_rows == row + 10]) == (set(mine) if len(other) else set())


def test_later_part_is_predicted_from_the_earlier(graph: TrainingGraph) -> None:
    run = Run(graph, SMALL, sequence=True)
    batch = run._batch(np.arange(10))
    ts = run.interactions.ts
    for row in range(10):
        inputs, targets = ts[batch.edges[batch.edge_rows == row]], ts[batch.targets[batch.target_rows == row]]
        if len(inputs) and len(targets):
            assert inputs.max() <= targets.min()


def with_future_object(graph: TrainingGraph, at: int) -> TrainingGraph:
    """One more object, described, and liked by everybody of one group after ``at``."""
    late = int(graph.event_ts.max())
    fans = np.arange(0, graph.num_users, 2)
    count = len(fans)
    new = graph.num_objects
    return replace(
        graph,
        object_ids=np.append(graph.object_ids, "future"),
        object_kind=np.append(graph.object_kind, 1),
        event_user=np.concatenate([graph.event_user, fans]),
        event_object=np.concatenate([graph.event_object, np.full(count, new)]),
        event_type=np.concatenate([graph.event_type, np.zeros(count)]),
        event_weight=np.concatenate([graph.event_weight, np.ones(count)]),
        event_ts=np.concatenate([graph.event_ts, np.full(count, late)]),
        tag_object=np.append(graph.tag_object, new),
        tag_tag=np.append(graph.tag_tag, 1),
        tag_weight=np.append(graph.tag_weight, 5.0),
    )


def test_an_object_of_the_future_changes_nothing_before(graph: TrainingGraph) -> None:
    split = m.time_split(graph)
    assert split.at is not None
    one = fit(split.train, SMALL)
    other_graph = with_future_object(graph, split.at).before(split.at)
    other = fit(other_graph, SMALL)
    assert np.array_equal(other.targets[:-1], one.targets)
    assert np.array_equal(other.popularity[:-1], one.popularity)
    assert other.choices == one.choices
    protocol = m.Protocol(m.time_split(with_future_object(graph, split.at), 0.7))
    assert not protocol.candidates[-1]
    assert protocol.targets[:, -1].nnz == 0


def test_choices_see_nothing_of_the_test_part(graph: TrainingGraph) -> None:
    split = m.time_split(graph)
    assert split.at is not None
    mixed = replace(split.test, event_object=(split.test.event_object + 1) % graph.num_objects)
    joined = replace(
        graph,
        **{
            name: np.concatenate([getattr(split.train, name), getattr(mixed, name)])
            for name in ("event_user", "event_object", "event_type", "event_weight", "event_ts")
        },
    )
    quick = replace(SMALL, epochs=2, histories="random")
    assert choose(joined.before(split.at), quick) == choose(split.train, quick)


# --- users and objects the model has not seen


def test_unseen_user_gets_a_vector_of_the_group(model: FittedModel) -> None:
    new = TrainingGraph(
        user_ids=np.array(["new"], dtype=object),
        object_ids=np.array(["o1", "o5", "unheard of"], dtype=object),
        event_types=("liked", "brand new type"),
        event_user=[0, 0, 0],
        event_object=[0, 1, 2],
        event_type=[0, 1, 0],
        event_weight=[1.0, 1.0, 1.0],
        event_ts=[1, 2, 3],
    )
    vectors, usable = model.encode(new)
    assert usable.tolist() == [True]
    assert np.linalg.norm(vectors[0]) == pytest.approx(1.0, abs=1e-6)
    assert (m.top_k(model.scores(vectors).astype(np.float64), 12)[0] % 2 == 1).all()


def test_user_without_usable_event_gets_popularity(model: FittedModel) -> None:
    nothing = TrainingGraph(
        user_ids=np.array(["a", "b"], dtype=object),
        object_ids=np.array(["unheard of"], dtype=object),
        event_types=("liked",),
        event_user=[1],
        event_object=[0],
        event_type=[0],
        event_weight=[1.0],
        event_ts=[1],
    )
    vectors, usable = model.encode(nothing)
    assert usable.tolist() == [False, False]
    assert not vectors.any()
    stored, _ = model.stored_objects()
    order = np.argsort(-(stored @ model.stored_users(vectors)[0]), kind="stable")
    assert model.popularity[order].tolist() == pytest.approx(sorted(model.popularity, reverse=True), abs=1e-6)


def test_a_users_vector_depends_on_the_users_own_events_alone(
    model: FittedModel, graph: TrainingGraph
) -> None:
    everybody, _ = model.encode(graph)
    alone, _ = model.encode(graph.select(graph.event_user == 7))
    assert np.array_equal(alone[7], everybody[7])


def test_unseen_object_lands_in_its_group(model: FittedModel, graph: TrainingGraph) -> None:
    users, _ = model.encode(graph)

    def lean(folded: Folded) -> float:
        """How much more odd users like it than even ones."""
        score = users @ folded.targets[0]
        return float(score[1::2].mean() - score[::2].mean())

    described = TrainingGraph(
        user_ids=np.empty(0, dtype=object),
        object_ids=np.array(["new"], dtype=object),
        tag_names=("odd", "unheard of"),
        tag_object=[0, 0],
        tag_tag=[0, 1],
        tag_weight=[1.0, 1.0],
    )
    by_tags = model.fold_in(described)
    assert by_tags.known.tolist() == [True]
    assert lean(by_tags) > 0.3

    new = graph.num_objects
    liked = replace(
        graph.select(graph.event_user < 12),
        object_ids=np.append(graph.object_ids, "new"),
        object_kind=np.append(graph.object_kind, 0),
    )
    fans = np.arange(1, 12, 2)
    liked = replace(
        liked,
        event_user=np.concatenate([liked.event_user, fans]),
        event_object=np.concatenate([liked.event_object, np.full(len(fans), new)]),
        event_type=np.zeros(liked.num_events + len(fans)),
        event_weight=np.ones(liked.num_events + len(fans)),
        event_ts=np.concatenate([liked.event_ts, np.full(len(fans), 60 * DAY)]),
    )
    by_users = model.fold_in(liked)
    assert by_users.index.tolist() == [new]
    assert lean(by_users) > 0.3
    # A tag foretells as much popularity as its objects have; users of one's own count where that is more.
    assert model.fold_in(described).popularity[0] == pytest.approx(model.popularity[1::2].mean(), abs=1e-3)
    blank = model.fold_in(replace(described, tag_object=[], tag_tag=[], tag_weight=[]))
    assert by_users.popularity[0] > blank.popularity[0]


def test_object_nothing_is_known_of(model: FittedModel) -> None:
    blank = TrainingGraph(user_ids=np.empty(0, dtype=object), object_ids=np.array(["new"], dtype=object))
    folded = model.fold_in(blank)
    assert folded.known.tolist() == [False]
    assert not folded.targets.any()
    stored, _ = model.stored_objects(folded)
    assert np.linalg.norm(stored[0]) == pytest.approx(model.max_norm, rel=1e-5)


def test_objects_without_events_get_a_vector_from_their_tags() -> None:
    graph = checkerboard(objects=24)
    graph = graph.select(graph.event_object != 5)
    model = fit(graph, SMALL, choices=CHOICES)
    assert not model.trained[5]
    assert model.known[5]
    odd = model.targets[1::2][np.arange(12) != 2] @ model.targets[5]
    even = model.targets[::2] @ model.targets[5]
    assert odd.mean() > even.mean() + 0.3


def test_an_untrained_object_has_exactly_the_vector_of_an_unseen_one() -> None:
    graph = checkerboard(objects=24)
    graph = graph.select(graph.event_object != 5)
    model = fit(graph, SMALL, choices=CHOICES)
    unseen = TrainingGraph(
        user_ids=np.empty(0, dtype=object),
        object_ids=np.array(["o5 under another name"], dtype=object),
        tag_names=("odd",),
        tag_object=[0],
        tag_tag=[0],
        tag_weight=[1.0],
    )
    folded = model.fold_in(unseen, neighbourhood=False)
    assert np.array_equal(folded.targets[0], model.targets[5])
    assert np.array_equal(folded.popularity[0], model.popularity[5])


# --- stored vectors


def test_stored_vectors_give_the_score(model: FittedModel, graph: TrainingGraph) -> None:
    users, _ = model.encode(graph)
    objects, scaled = model.stored_objects()
    stored = model.stored_users(users)
    assert scaled == 0
    assert stored.dtype == objects.dtype == np.float32
    assert stored.shape == (graph.num_users, model.dimensions)
    assert objects.shape == (graph.num_objects, model.dimensions)
    assert stored @ objects.T == pytest.approx(model.scores(users), abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    targets=hnp.arrays(np.float32, (6, 3), elements=st.floats(-1, 1, width=32)),
    popularity=hnp.arrays(np.float32, 6, elements=st.floats(-8, 8, width=32)),
    user=hnp.arrays(np.float32, 3, elements=st.floats(-1, 1, width=32)),
)
def test_cosine_order_is_dot_product_order(
    model: FittedModel, targets: Any, popularity: Any, user: Any
) -> None:
    def unit(x: Any) -> Any:
        length = np.linalg.norm(x, axis=-1, keepdims=True)
        return (x / np.where(length > 1e-3, length, 1.0) * (length > 1e-3)).astype(np.float32)

    made = replace(
        model,
        targets=unit(targets),
        popularity=popularity,
        known=np.linalg.norm(unit(targets), axis=1) > 0.5,
        object_ids=np.arange(6).astype(object),
    )
    objects, scaled = made.stored_objects()
    assert scaled == 0
    stored = made.stored_users(unit(user[None, :]))[0].astype(np.float64)
    length = np.linalg.norm(objects.astype(np.float64), axis=1)
    assert length == pytest.approx(np.full(6, made.max_norm), rel=1e-5)
    dot = objects.astype(np.float64) @ stored
    assert dot == pytest.approx(made.scores(unit(user[None, :]))[0], abs=1e-4)
    cosine = dot / (length * np.linalg.norm(stored))
    for i in range(6):
        for j in range(6):
            if dot[i] > dot[j] + 1e-4:
                assert cosine[i] > cosine[j]


def test_later_longer_vectors_are_scaled_to_m_and_counted(model: FittedModel) -> None:
    late = Folded(
        np.arange(2),
        model.inputs[:2],
        model.targets[:2],
        np.array([0.0, model.max_norm * model.user_scale * 3], dtype=np.float32),
        np.array([True, True]),
    )
    stored, scaled = model.stored_objects(late)
    assert scaled == 1
    assert np.linalg.norm(stored, axis=1) == pytest.approx([model.max_norm] * 2, rel=1e-5)
    assert stored[1, -1] == 0.0


# --- what is refused


@pytest.mark.parametrize("users", [1, 3])
def test_too_little_data_names_the_counts(users: int) -> None:
    with pytest.raises(TooLittleData, match=rf"{users} users with two or more liked objects \(needed: 4\)"):
        fit(checkerboard(users=users), SMALL)


def test_dislikes_alone_are_too_little(graph: TrainingGraph) -> None:
    with pytest.raises(TooLittleData):
        check_enough(replace(graph, event_weight=-graph.event_weight))


def test_too_small_to_measure_still_trains() -> None:
    graph = checkerboard(users=4, objects=8, per_user=4, span_days=30)
    report = train(graph, config=SMALL)
    assert report.promoted
    assert len(report.model.targets) == 8
    with pytest.raises(TooLittleData, match="too small to hold a part of it back"):
        evaluate_recipe(graph, SMALL.to_dict())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"targets": np.nan}, "NaN or infinite target"),
        ({"popularity": np.inf}, "NaN or infinite popularity"),
        ({"targets": 0.0}, "zero vectors"),
    ],
)
def test_bad_vectors_are_refused(model: FittedModel, change: dict[str, float], words: str) -> None:
    name, value = next(iter(change.items()))
    broken = getattr(model, name).copy()
    broken[3] = value
    with pytest.raises(BadVectors, match=words) as caught:
        replace(model, **{name: broken}).check()
    assert "o3" in caught.value.message


def test_collapsed_vectors_are_refused(model: FittedModel) -> None:
    one = np.tile(model.targets[:1], (len(model.targets), 1))
    with pytest.raises(BadVectors, match="collapsed"):
        replace(model, targets=one).check()


def test_a_diverging_loss_is_refused(graph: TrainingGraph) -> None:
    run = Run(graph, SMALL, sequence=False)
    with torch.no_grad():
        run.network.table[0, 0] = torch.nan
    with pytest.raises(BadVectors, match="diverged"):
        run.epoch()


@pytest.mark.parametrize(
    "wrong", [{"dim": 0}, {"histories": "both"}, {"input_fraction": 1.0}, {"seed": -1}, {"seed": 2**32}]
)
def test_wrong_arguments(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        TrainConfig(**wrong)


# --- comparing


def test_the_same_recipe_is_not_promoted_unless_forced(graph: TrainingGraph) -> None:
    config = replace(SMALL, epochs=2, histories="random")
    report = train(graph, config=config, current=config.to_dict())
    assert not report.promoted
    assert "the same recipe" in report.reason
    assert report.metrics["current"] == report.metrics["model"]
    assert train(graph, config=config, current=config.to_dict(), force=True).promoted


def test_a_better_recipe_is_promoted_by_its_paired_gain() -> None:
    graph = checkerboard(users=120, objects=80, per_user=12, tags=False)
    config = replace(SMALL, epochs=8, histories="random")
    # The recipe in use hardly learns and weighs everything by the last day: poor on purpose.
    poor = replace(config, dim=2, epochs=1, learning_rate=1e-6, user_half_lives_days=(0.01,))
    report = train(graph, config=config, current=poor.to_dict())
    difference = report.difference
    assert difference is not None
    assert report.promoted == (difference["ndcg_at_20_interval"][0] > 0)
    assert report.reason.startswith("better: NDCG@20" if report.promoted else "not better: NDCG@20")
    assert report.metrics["current"] != report.metrics["model"]


def test_a_recipe_in_use_that_collapses_is_replaced() -> None:
    graph = checkerboard(users=60, objects=40, per_user=10, tags=False)
    flat = replace(SMALL, dim=1, epochs=1, learning_rate=1e-6, histories="random")
    report = train(graph, config=replace(SMALL, epochs=2, histories="random"), current=flat.to_dict())
    assert report.promoted
    assert report.metrics["current"] is None
    assert "no usable vectors" in report.reason


def test_progress_counts_through(graph: TrainingGraph) -> None:
    calls: list[tuple[int, int]] = []
    train(graph, config=replace(SMALL, epochs=2), progress=lambda done, total, _: calls.append((done, total)))
    assert [done for done, _ in calls] == list(range(1, len(calls) + 1))
    assert all(done <= total for done, total in calls)


def test_config_survives_its_dict() -> None:
    config = TrainConfig(dim=7, user_half_lives_days=(None, 3.5))
    assert TrainConfig.from_dict({**config.to_dict(), "from a later version": 1}) == config


def test_large_graphs_have_a_recipe_of_their_own() -> None:
    config = TrainConfig(large=(4000, 30, 5.0))
    small, large = config.sized(300_000), config.sized(300_001)
    assert (small.batch_users, small.epochs) == (config.batch_users, config.epochs)
    assert (small.gamma, large.gamma) == (config.gamma, 5.0)
    assert (large.batch_users, large.epochs) == (4000, 30)
    # Once it is fitted it stays what it was, also on a graph of another size; so does what older versions fitted.
    assert TrainConfig.from_dict(small.to_dict()).sized(10**6) == small
    older = {key: value for key, value in config.to_dict().items() if key != "large"}
    assert TrainConfig.from_dict(older).sized(10**6).batch_users == config.batch_users


@pytest.mark.parametrize(
    ("lists", "epochs", "worth"),
    [
        ([[0.1, 0.1], [0.3, 0.3], [0.2, 0.2], [0.25, 0.25]], 4, 0.3),
        # As good within what chance gives: the longer one; and not so far below the best.
        ([[0.1, 0.1], [0.2, 0.4], [0.4, 0.1], [0.1, 0.15]], 6, 0.25),
    ],
)
def test_large_graphs_are_trained_as_long_as_lists_get_better(
    graph: TrainingGraph,
    monkeypatch: pytest.MonkeyPatch,
    lists: list[list[float]],
    epochs: int,
    worth: float,
) -> None:
    monkeypatch.setattr(training, "LARGE_EVENTS", 10)
    monkeypatch.setattr(training, "_CHECKPOINTS_TRIED", 4)
    stages, told = iter(lists), []
    monkeypatch.setattr(training, "_ndcg", lambda *_: np.array(next(stages)))
    clock = training.Clock(lambda done, total, figures: told.append(figures.get("validation")))
    recipe = replace(SMALL, epochs=8, large=None, histories="random")
    assert training.choose(graph, recipe, clock).epochs == epochs
    assert clock.done == 2 * recipe.epochs // 2, "half of the epochs, on each of two validation parts"
    assert clock.measure == "NDCG@20"
    assert (told[0], clock.validation) == (None, pytest.approx(worth))


def test_lists_of_validation_users_are_those_of_the_model(graph: TrainingGraph) -> None:
    part = m.Protocol(m.time_split(graph, 0.8))
    model = fit(part.split.train, SMALL)
    calibration = Choices.from_dict(model.choices).calibration
    columns = popularity_columns(part.split.train, HALF_LIVES_DAYS)
    plain = with_half_life(model, None)
    expected = part.per_user(scorer(plain, part.split.train), 20)[1].mean()
    stage = training._Stage(SMALL.epochs, False, [plain], calibration)
    assert training._ndcg(stage, [part], [columns]).mean() == pytest.approx(expected, abs=1e-3)


# --- parts


def test_calibration_finds_what_decides() -> None:
    """Targets drawn from a softmax of known weights give these weights back."""
    rng = np.random.default_rng(0)
    users, objects = 600, 50
    cosine = np.clip(rng.normal(0, 0.4, (users, objects)), -1, 1).astype(np.float32)
    columns = np.zeros((objects, 4))
    columns[:, 1] = rng.random(objects) * 3
    logits = 8.0 * cosine + 1.0 * columns[:, 1]
    chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    chosen = np.array([rng.choice(objects, p=row) for row in chance])
    protocol = object.__new__(m.Protocol)
    protocol.users = np.arange(users)
    protocol.candidates = np.ones(objects, dtype=bool)
    protocol.seen = sp.csr_matrix((users, objects), dtype=np.float32)
    protocol.targets = sp.csr_matrix(
        (np.ones(users, np.float32), (np.arange(users), chosen)), (users, objects)
    )
    found = calibrate([Evidence(protocol, cosine, columns)])
    assert found.cosine == pytest.approx(8.0, abs=1.5)
    assert found.popularity[1] == pytest.approx(1.0, abs=0.25)
    assert found.users == users


def test_calibration_without_users_is_the_declared_one() -> None:
    assert calibrate([]) == Calibration()


def test_sum_under_the_softmax_is_torchs_own_with_its_gradients() -> None:
    torch.manual_seed(0)
    shift, rows, columns = (
        torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in [(7,), (5, 3), (7, 3)]
    )
    left_out = torch.rand(5, 7) < 0.3
    left_out[1] = True
    weight = torch.tensor([0.5, 0.0, 2.0, 1.0, -1.0], dtype=torch.float64)
    results = []
    for ours in (True, False):
        if ours:
            found = LogSumExp.apply(shift, rows, columns, left_out)
        else:
            terms = (rows @ columns.T + shift).masked_fill(left_out, -torch.inf)
            found = torch.logsumexp(terms, dim=1)
        (found[~left_out.all(dim=1)] * weight[~left_out.all(dim=1)]).sum().backward()
        results.append([found.detach(), *(of.grad for of in (shift, rows, columns))])
        shift.grad = rows.grad = columns.grad = None
    assert results[0][0][1] == -torch.inf
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_typed_sum_is_a_matrix_product_with_its_gradient() -> None:
    rng = np.random.default_rng(0)
    row, column = np.array([0, 0, 2, 1]), np.array([1, 3, 0, 1])
    weight = rng.random(4).astype(np.float32)
    relation = Relation(row, column, weight, (3, 4))
    dense = torch.zeros(3, 4)
    dense[torch.from_numpy(row), torch.from_numpy(column)] = torch.from_numpy(weight)
    x = torch.from_numpy(rng.random((4, 2)).astype(np.float32)).requires_grad_()
    out = TypedSum()(x, relation)
    assert torch.allclose(out, dense @ x)
    out.square().sum().backward()
    again = x.detach().clone().requires_grad_()
    (dense @ again).square().sum().backward()
    assert x.grad is not None
    assert again.grad is not None
    assert torch.allclose(x.grad, again.grad)
    y = torch.ones(3, 2)
    assert torch.allclose(TypedSum()(y, relation, reverse=True), dense.T @ y)


@pytest.mark.parametrize("smooth_inputs", [True, False])
def test_hop_is_the_symmetrically_normalised_one(smooth_inputs: bool) -> None:
    graph = checkerboard(users=6, objects=6, per_user=3, tags=False)
    interactions = Interactions.of(graph)
    rng = np.random.default_rng(0)
    start = rng.random((6, 4)).astype(np.float32)
    network = HeteroGraphSage(
        interactions,
        start,
        start,
        [],
        description_scale=0.3,
        neutral=0.5,
        gamma=2.0,
        smooth_inputs=smooth_inputs,
    )
    dense = sp.csr_matrix(
        (np.ones(graph.num_events), (graph.event_user, graph.event_object)), (6, 6)
    ).toarray()
    objects, users = np.diag(dense.sum(0) ** -0.5), np.diag(1.0 / dense.sum(1))
    expected = start + 2.0 * objects @ dense.T @ users @ dense @ objects @ start
    inputs, targets = network()
    assert inputs.detach().numpy() == pytest.approx(expected if smooth_inputs else start, rel=1e-4)
    unit = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    assert targets.detach().numpy() == pytest.approx(unit, rel=1e-4)


def test_gradient_of_a_single_channels_hop_is_the_general_one() -> None:
    """Also while edges are hidden, and of objects that then have none."""
    graph = checkerboard(users=6, objects=6, per_user=3, tags=False)
    interactions = Interactions.of(graph)
    start = np.random.default_rng(0).random((6, 4)).astype(np.float32)
    network = HeteroGraphSage(interactions, start, start, [], description_scale=0.3, neutral=0.5, gamma=2.0)
    hidden = np.flatnonzero((interactions.object == 0) | (interactions.user == 1))
    network.relations[0].hide(torch.from_numpy(network.within[hidden]))
    rows = torch.from_numpy(start)
    single, general = rows.clone().requires_grad_(), rows.clone().requires_grad_()
    total, scale = network.hop(general)
    expected = general + network.gamma * scale * total
    smoothed = network.smoothed(single)
    assert torch.allclose(smoothed, expected)
    for out in (smoothed, expected):
        (out.square() * torch.arange(4.0)).sum().backward()
    assert single.grad is not None
    assert general.grad is not None
    assert torch.allclose(single.grad, general.grad)


@pytest.mark.parametrize("smooth_inputs", [True, False])
def test_arrays_give_the_same_users_as_the_network(graph: TrainingGraph, smooth_inputs: bool) -> None:
    run = Run(graph, replace(SMALL, smooth_inputs=smooth_inputs), sequence=False)
    run.epoch()
    made = run.model(Choices(epochs=1))
    with torch.no_grad():
        inputs, _ = run.network()
        edges = np.arange(len(run.interactions))
        rows = run.interactions.user
        expected = run.network.users(
            inputs,
            run.interactions.object[edges],
            run.interactions.channel[edges],
            rows,
            graph.num_users,
            run.interactions.strength,
        ).numpy()
    assert made.encode(graph)[0] == pytest.approx(expected, abs=1e-5)
    assert scorer(made, graph)(np.array([0])).shape == (1, graph.num_objects)


def test_training_leaves_no_files_behind(tmp_path: Path) -> None:
    code = (
        "from small_graphs import checkerboard; from graphprofile.graphsage.config import TrainConfig\n"
        "from graphprofile.graphsage.loop import Run\n"
        "for mode in ('full', 'sampled'):\n"
        "    Run(checkerboard(), TrainConfig(dim=8, epochs=1, propagation=mode), False).epoch()"
    )
    folder = tmp_path / "tmp"
    folder.mkdir()
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert not list(folder.iterdir())
