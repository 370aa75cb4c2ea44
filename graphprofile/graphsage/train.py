"""Training: from a graph in arrays to a fitted model.

One **fit** is: choose on validation data inside the graph (length of training, kind of history, half-life of
a user's events, calibration of popularity), then train on all of it with these choices. The validation part
is later than what the validated models saw; where time cannot cut it is a random part.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch

from graphprofile.errors import TooLittleData
from graphprofile.graphsage import fitted
from graphprofile.graphsage.calibrate import HALF_LIVES_DAYS, Calibration, Evidence, calibrate, max_users
from graphprofile.graphsage.checkpoints import Checkpoints
from graphprofile.graphsage.config import LARGE_EVENTS, Choices, Progress, TrainConfig
from graphprofile.graphsage.data import DoubleArray, FloatArray, IntArray, TrainingGraph
from graphprofile.graphsage.fitted import FittedModel
from graphprofile.graphsage.interactions import popularity_columns
from graphprofile.graphsage.loop import Run
from graphprofile.graphsage.metrics import Protocol, time_split
from graphprofile.memory import give_back_memory

MIN_USERS = 4
MIN_OBJECTS = 4
MIN_PAIRS = 16

#: Validation parts: small graphs have few users to validate on and are quick to train, so they get several.
VALIDATION_SHARE = 0.15
_FOLD_EVENTS = 100_000
_MAX_FOLDS = 2
_CHECKPOINTS = 4
#: On large graphs choices are made with no more columns than this, and in half the epochs: time grows with both,
#: what is chosen hardly changes. So many users' lists say there how long to train.
_COLUMNS_TRIED = 64
_CHECKPOINTS_TRIED = 2
_USERS_RANKED = 4_000


@dataclass
class Clock:
    """Counts epochs through several fits, for a progress bar.

    Attributes:
        progress: Whom to tell.
        total: Epochs in all, as far as known.
        done: Epochs done.
        checkpoints: Where states of the fits are kept, None to keep none.
        validation: The best so far of what is chosen by.
        measure: What that is: a mean over validation users.
    """

    progress: Progress | None
    total: int = 0
    done: int = 0
    checkpoints: Checkpoints | None = None
    validation: float | None = None
    measure: str = "log likelihood"

    def expect(self, epochs: int) -> None:
        """So many epochs are still to come."""
        self.total = self.done + epochs

    def tick(self, figures: Mapping[str, Any]) -> None:
        """One epoch is done."""
        self.done += 1
        if self.progress is not None:
            seen = {} if self.validation is None else {"validation": self.validation, "measure": self.measure}
            self.progress(self.done, max(self.total, self.done), {**seen, **figures})


@contextmanager
def threads(config: TrainConfig, graph: TrainingGraph) -> Iterator[None]:
    """Gives torch as many threads as help: one for a small graph, where waiting for each other costs more."""
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = config.threads or (1 if graph.num_events < LARGE_EVENTS else min(4, free))
    torch.set_num_threads(count)
    try:
        # NumPy's own threads wait for one another as torch's do.
        with threadpool_limits(count):
            yield
    finally:
        torch.set_num_threads(before)


def fit(
    graph: TrainingGraph,
    config: TrainConfig | None = None,
    *,
    choices: Choices | None = None,
    progress: Progress | None = None,
) -> FittedModel:
    """Fits a model to a graph; the same graph, config and number of threads give the same vectors.

    Args:
        graph: What to learn from.
        config: The recipe.
        choices: Choices to use; by default they are made on validation parts of the graph.
        progress: Called after each epoch.

    Raises:
        TooLittleData: Too few users, objects or interactions.
        BadVectors: Training gave NaN, zero or collapsed vectors.
    """
    config = (config or TrainConfig()).sized(graph.num_events)
    check_enough(graph)
    clock = Clock(progress)
    with threads(config, graph):
        if choices is None:
            choices = choose(graph, config, clock)
        clock.expect(choices.epochs)
        return fit_with(graph, config, choices, clock)


def check_enough(graph: TrainingGraph) -> None:
    """Refuses graphs too small to train on.

    Raises:
        TooLittleData: With the counts and what is needed.
    """
    positive = graph.event_weight > 0
    pairs = np.unique(graph.event_user[positive] * max(1, graph.num_objects) + graph.event_object[positive])
    of_user = np.bincount(pairs // max(1, graph.num_objects), minlength=1)
    users, objects = int((of_user >= 2).sum()), len(np.unique(graph.event_object[positive]))
    if users < MIN_USERS or objects < MIN_OBJECTS or len(pairs) < MIN_PAIRS:
        raise TooLittleData(
            f"too little to train on: {users} users with two or more liked objects (needed: {MIN_USERS}), "
            f"{objects} liked objects (needed: {MIN_OBJECTS}), {len(pairs)} pairs (needed: {MIN_PAIRS})",
            "Load more events of kinds with a positive weight, then train again.",
        )


def choose(graph: TrainingGraph, config: TrainConfig, clock: Clock | None = None) -> Choices:
    """Makes the choices of a fit on validation parts of the graph.

    Args:
        graph: The graph; nothing outside it is looked at.
        config: The recipe.
        clock: Counts epochs for a progress bar.
    """
    clock = clock or Clock(None)
    large = graph.num_events > LARGE_EVENTS
    tried, checkpoints = config, _CHECKPOINTS
    if large:
        tried = replace(config, dim=min(config.dim, _COLUMNS_TRIED), epochs=(config.epochs + 1) // 2)
        checkpoints = _CHECKPOINTS_TRIED
    parts = _validation_parts(graph, config)
    kinds = [config.histories == "sequence"]
    if not parts:
        return Choices(config.epochs, kinds[0])
    timed = all(protocol.split.at is not None for protocol in parts)
    if config.histories == "auto" and timed and not large:
        kinds = [False, True]
    clock.validation = None
    clock.expect(len(kinds) * len(parts) * tried.epochs + 2 * config.epochs)
    columns = [popularity_columns(part.split.train, HALF_LIVES_DAYS) for part in parts]
    stages = (
        stage for sequence in kinds for stage in _stages(parts, columns, tried, sequence, checkpoints, clock)
    )
    if large:
        ranked = [Protocol(part.split, max_users=_USERS_RANKED, seed=config.seed) for part in parts]
        best = _best_lists(stages, ranked, columns, clock)
    else:
        best = _most_likely(stages, clock)
    epochs = max(1, round(best.epoch * config.epochs / tried.epochs))
    found, half_life = best.calibration, None
    for days in config.user_half_lives_days if timed else ():
        other = found if days is None else _calibrated(best.models, parts, columns, days)
        if _likelihood(other) > _likelihood(found):
            found, half_life = other, days
    return Choices(epochs, best.sequence, half_life, found)


@dataclass
class _Stage:
    """A training so far.

    Attributes:
        epoch: Epochs done.
        sequence: Whether earlier parts of histories predict later ones.
        models: Of each validation part.
        calibration: On all of them.
    """

    epoch: int
    sequence: bool
    models: list[FittedModel]
    calibration: Calibration


def _stages(
    parts: list[Protocol],
    columns: list[DoubleArray],
    config: TrainConfig,
    sequence: bool,
    checkpoints: int,
    clock: Clock,
) -> Iterator[_Stage]:
    """Trains on what comes before each validation part."""
    runs = [_checkpoints(part.split.train, config, sequence, checkpoints, clock) for part in parts]
    for reached in zip(*runs, strict=True):
        models = [model for _, model in reached]
        yield _Stage(reached[0][0], sequence, models, _calibrated(models, parts, columns, None))


def _most_likely(stages: Iterator[_Stage], clock: Clock) -> _Stage:
    """The stage at which what validation users chose is the most likely."""
    best = next(stages)
    clock.validation = _likelihood(best.calibration)
    for stage in stages:
        if _likelihood(stage.calibration) > clock.validation:
            best, clock.validation = stage, _likelihood(stage.calibration)
    return best


def _best_lists(
    stages: Iterator[_Stage], parts: list[Protocol], columns: list[DoubleArray], clock: Clock
) -> _Stage:
    """The latest stage whose lists for validation users are as good as the best within a standard error.

    In the middle of a training the likelihood over all objects can be better than at its end, while the first twenty
    are worse. And steps are still long there: a training that ends there is seldom better than the whole.
    """
    clock.measure = "NDCG@20"
    best = next(stages)
    top = _ndcg(best, parts, columns)
    clock.validation = float(top.mean())
    for stage in stages:
        lists = _ndcg(stage, parts, columns)
        gain = lists - top
        if gain.mean() >= -gain.std() / np.sqrt(len(gain)):
            best, clock.validation = stage, float(lists.mean())
        if gain.mean() > 0:
            top = lists
    return best


def _likelihood(calibration: Calibration) -> float:
    """Mean log likelihood per validation user."""
    return -np.inf if calibration.log_likelihood is None else calibration.log_likelihood


def _validation_parts(graph: TrainingGraph, config: TrainConfig) -> list[Protocol]:
    """Later parts of the graph, each with the graph before it; the last one first."""
    folds = int(np.clip(_FOLD_EVENTS // max(1, graph.num_events), 1, _MAX_FOLDS))
    parts = []
    for fold in range(folds):
        split = time_split(graph, 1.0 - VALIDATION_SHARE, seed=config.seed + fold)
        try:
            check_enough(split.train)
        except TooLittleData:
            break
        protocol = Protocol(split, max_users=max_users(graph.num_objects), seed=config.seed)
        if len(protocol.users):
            parts.append(protocol)
        if split.at is None:
            break
        graph = split.train
    return parts


def _calibrated(
    models: list[FittedModel], parts: list[Protocol], columns: list[DoubleArray], half_life_days: float | None
) -> Calibration:
    evidence = []
    for model, part, popular in zip(models, parts, columns, strict=True):
        users, _ = fitted.with_half_life(model, half_life_days).encode(part.split.train)
        evidence.append(Evidence(part, users[part.users] @ model.targets.T, popular))
    return calibrate(evidence)


def _ndcg(stage: _Stage, parts: list[Protocol], columns: list[DoubleArray]) -> DoubleArray:
    """NDCG@20 of each user of validation parts [num_users]."""
    weights = np.asarray(stage.calibration.popularity) / stage.calibration.cosine
    found = []
    for model, part, popular in zip(stage.models, parts, columns, strict=True):
        users, _ = model.encode(part.split.train)
        lift = (popular @ weights).astype(np.float32)
        found.append(part.per_user(partial(_scores, users, model.targets, lift), 20)[1])
    return np.concatenate(found)


def _scores(users: FloatArray, targets: FloatArray, lift: FloatArray, rows: IntArray) -> FloatArray:
    scores: FloatArray = users[rows] @ targets.T + lift
    return scores


def _checkpoints(
    graph: TrainingGraph, config: TrainConfig, sequence: bool, checkpoints: int, clock: Clock
) -> Iterator[tuple[int, FittedModel]]:
    """Trains and yields (epoch, model) at a few epochs."""
    every = max(1, config.epochs // checkpoints)
    wanted = {*range(every, config.epochs + 1, every), config.epochs}
    run = Run(graph, config, sequence)
    for epoch in _epochs(run, config.epochs, wanted, clock, "validation"):
        yield epoch, run.model(Choices(epoch, sequence), describe=False)


def _epochs(run: Run, epochs: int, wanted: set[int], clock: Clock, fit: str) -> Iterator[int]:
    """Trains, and yields after those epochs that are wanted; goes on where the same training was killed.

    Args:
        run: At its beginning.
        epochs: How many to train.
        wanted: Epochs whose state the caller looks at.
        clock: Counts epochs, knows where states are kept.
        fit: What it is, for the progress bar.
    """
    store = clock.checkpoints
    key = store.key(run.all, run.config, sequence=run.sequence) if store else None
    if store is None or key is None:
        for epoch in range(1, epochs + 1):
            clock.tick({"loss": run.epoch(), "fit": fit})
            if epoch in wanted:
                yield epoch
        return
    first = 1
    for epoch in store.epochs(key):
        state = store.load(key, epoch)
        if state is None or epoch > epochs or any(first <= other < epoch for other in wanted):
            break
        run.restore(state)
        for _ in range(first, epoch + 1):
            clock.tick({"fit": fit, "resumed": True})
        store.resumed += epoch + 1 - first
        first = epoch + 1
        if epoch in wanted:
            yield epoch
    for epoch in range(first, epochs + 1):
        clock.tick({"loss": run.epoch(), "fit": fit})
        store.save(key, epoch, run.state())
        if epoch > 1 and epoch - 1 not in wanted:
            store.forget(key, epoch - 1)
        if epoch in wanted:
            yield epoch


def fit_with(graph: TrainingGraph, config: TrainConfig, choices: Choices, clock: Clock) -> FittedModel:
    """Trains on all of a graph with choices already made, and checks the vectors.

    Raises:
        TooLittleData: Too few users, objects or interactions.
        BadVectors: Training gave NaN, zero or collapsed vectors.
    """
    check_enough(graph)
    # What choices were tried on is gone by now, but the C library would keep some of its memory.
    give_back_memory()
    run = Run(graph, config, choices.sequence)
    for _ in _epochs(run, choices.epochs, set(), clock, "final"):
        pass
    model = run.model(choices)
    model.check()
    return model
