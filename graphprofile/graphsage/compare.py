"""The whole of ``train``: is this recipe better than the one in use, and the final model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphprofile.errors import BadVectors, TooLittleData
from graphprofile.graphsage import metrics as m
from graphprofile.graphsage.checkpoints import Checkpoints
from graphprofile.graphsage.config import Progress, TrainConfig
from graphprofile.graphsage.data import FloatArray, IntArray, TrainingGraph
from graphprofile.graphsage.fitted import FittedModel
from graphprofile.graphsage.train import Clock, choose, fit_with, threads

TEST_SHARE = 0.2


@dataclass(frozen=True)
class TrainReport:
    """What training gave.

    Attributes:
        model: Fitted on everything.
        metrics: ``model``, ``current`` (None at first), ``popularity``, ``item_to_item``; None for all where
            the graph is too small to cut.
        split: The cut in words and counts, see ``metrics.describe``; empty where there was none.
        difference: Paired difference to the recipe in use with intervals, None if there is none.
        promoted: Whether the model should be put to use.
        reason: Why, as a sentence.
    """

    model: FittedModel
    metrics: dict[str, m.Metrics | None]
    split: dict[str, Any]
    difference: dict[str, Any] | None
    promoted: bool
    reason: str


def scorer(model: FittedModel, train: TrainingGraph) -> m.Scorer:
    """Scores of a model for users from their events in ``train``; users without any get the fallback."""
    vectors, _ = model.encode(train)

    def score(users: IntArray) -> FloatArray:
        return model.scores(vectors[users])

    return score


def train(
    graph: TrainingGraph,
    *,
    config: TrainConfig | None = None,
    current: Mapping[str, Any] | FittedModel | None = None,
    seed: int | None = None,
    epochs: int | None = None,
    force: bool = False,
    newer_graph: bool = False,
    progress: Progress | None = None,
    checkpoints: Checkpoints | None = None,
) -> TrainReport:
    """Measures the recipe on the future it has not seen, then fits it to everything.

    The recipe is fitted on the events at or before T, its choices included, and scored on the events after T,
    beside the recipe in use (fitted in the same way on the same events), popularity and item-to-item. The
    final model is fitted on all events with the same choices, so what was measured is what is put to use.

    Args:
        graph: All events.
        config: The recipe; the default one by default.
        current: The model in use, or its ``config``; None if there is none.
        seed: Replaces the recipe's seed.
        epochs: Replaces the recipe's longest training.
        force: Promote whatever the comparison says.
        newer_graph: The graph has changed since the model in use was fitted; the same recipe is then promoted,
            because all there is between them is what has been loaded since.
        progress: Called after each epoch.
        checkpoints: Where states are kept meanwhile; a training that was killed goes on from them.

    Raises:
        TooLittleData: Too few users, objects or interactions.
        BadVectors: Training gave NaN, zero or collapsed vectors.
    """
    config = (config or TrainConfig()).sized(graph.num_events)
    config = replace(config, seed=config.seed if seed is None else seed)
    config = replace(config, epochs=config.epochs if epochs is None else epochs)
    used = current.config if isinstance(current, FittedModel) else current
    used_config = None if used is None else TrainConfig.from_dict(used).sized(graph.num_events)
    used_config = used_config and replace(used_config, device=config.device)
    clock = Clock(progress, checkpoints=checkpoints)
    with threads(config, graph):
        measured = _measure(graph, config, used_config, clock)
        choices = choose(graph, config, clock) if measured is None else measured.choices
        model = fit_with(graph, config, choices, clock)
    if measured is None:
        empty: dict[str, m.Metrics | None] = dict.fromkeys(("model", "current", "popularity", "item_to_item"))
        promoted = force or used is None
        reason = "nothing could be compared: the graph is too small to hold a part of it back"
        return TrainReport(model, empty, {}, None, promoted, reason)
    promoted, reason = _decide(measured, config, used_config, force=force, newer_graph=newer_graph)
    return TrainReport(model, measured.metrics, measured.split, measured.difference, promoted, reason)


def evaluate_recipe(
    graph: TrainingGraph,
    config: Mapping[str, Any] | TrainConfig,
    *,
    progress: Progress | None = None,
) -> tuple[dict[str, m.Metrics | None], dict[str, Any]]:
    """Measures a recipe on the future it has not seen, beside the baselines; fits no final model.

    Args:
        graph: All events.
        config: The recipe, or its dict.
        progress: Called after each epoch.

    Returns:
        Metrics of ``model``, ``popularity`` and ``item_to_item``, and the cut in words and counts.

    Raises:
        TooLittleData: Too few users, objects or interactions before the cut.
    """
    recipe = config if isinstance(config, TrainConfig) else TrainConfig.from_dict(config)
    recipe = recipe.sized(graph.num_events)
    with threads(recipe, graph):
        measured = _measure(graph, recipe, None, Clock(progress))
    if measured is None:
        raise TooLittleData(
            "the graph is too small to hold a part of it back and train on the rest",
            "Load more events of kinds with a positive weight, then evaluate again.",
        )
    return {name: found for name, found in measured.metrics.items() if name != "current"}, measured.split


@dataclass(frozen=True)
class _Measured:
    choices: Any
    metrics: dict[str, m.Metrics | None]
    split: dict[str, Any]
    difference: dict[str, Any] | None


def _same(one: TrainConfig, other: TrainConfig) -> bool:
    return one.recipe() == other.recipe()


def _measure(
    graph: TrainingGraph, config: TrainConfig, used: TrainConfig | None, clock: Clock
) -> _Measured | None:
    """Fits on the past and scores on the future; None where the past is too small to train on."""
    split = m.time_split(graph, 1.0 - TEST_SHARE, seed=config.seed)
    try:
        choices = choose(split.train, config, clock)
        mine = fit_with(split.train, config, choices, clock)
    except TooLittleData:
        return None
    protocol = m.Protocol(split)
    methods = {"model": scorer(mine, split.train)}
    usable = used is not None
    if used is not None and not _same(used, config):
        try:
            theirs = fit_with(split.train, used, choose(split.train, used, clock), clock)
            methods["current"] = scorer(theirs, split.train)
        except BadVectors:
            usable = False
    methods["popularity"] = m.popularity(split.train)
    methods["item_to_item"] = m.item_to_item(split.train)
    found, per_user = m.evaluate(protocol, methods, seed=config.seed)
    results: dict[str, m.Metrics | None] = {"model": found["model"], "current": None}
    difference = None
    if usable:
        results["current"] = found.get("current", found["model"])
        theirs_per_user = per_user.get("current", per_user["model"])
        difference = m.paired_difference(per_user["model"], theirs_per_user, seed=config.seed)
    results |= {"popularity": found["popularity"], "item_to_item": found["item_to_item"]}
    return _Measured(choices, results, m.describe(protocol), difference)


def _decide(
    measured: _Measured, config: TrainConfig, used: TrainConfig | None, *, force: bool, newer_graph: bool
) -> tuple[bool, str]:
    """Better means: the 95% interval of the paired NDCG@20 difference lies above 0."""
    if used is None:
        return True, "the first model"
    if measured.difference is None:
        return True, "better: the recipe in use gives no usable vectors on this graph any more"
    gain, between = measured.difference["ndcg_at_20"], measured.difference["ndcg_at_20_interval"]
    if gain is None or between is None:
        text = "no user could be scored"
        better = False
    elif _same(used, config):
        if newer_graph:
            return True, "the same recipe as the one in use, fitted to what has been loaded since"
        text, better = "the same recipe as the one in use, and nothing has been loaded since", False
    else:
        text = (
            f"NDCG@20 {gain:+.4f} against the recipe in use, interval {between[0]:+.4f} to {between[1]:+.4f}"
        )
        better = between[0] > 0
    if better:
        return True, f"better: {text}"
    if force:
        return True, f"forced: {text}"
    return False, f"not better: {text}"


__all__ = ["TrainReport", "evaluate_recipe", "scorer", "train"]
