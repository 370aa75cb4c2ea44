"""The training loop: batches of users, sampled softmax, and the arrays that come out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graphprofile.errors import BadVectors
from graphprofile.graphsage import fitted
from graphprofile.graphsage.calibrate import HALF_LIVES_DAYS
from graphprofile.graphsage.config import Choices, TrainConfig
from graphprofile.graphsage.data import SIGNS, FloatArray, IntArray, TrainingGraph
from graphprofile.graphsage.describe import description_matrices
from graphprofile.graphsage.device import on, torch_device
from graphprofile.graphsage.fitted import FittedModel
from graphprofile.graphsage.interactions import Interactions, popularity_columns
from graphprofile.graphsage.model import NEGATIVE, HeteroGraphSage, closed_form
from graphprofile.graphsage.softmax import LogSumExp

if TYPE_CHECKING:
    from graphprofile.graphsage.sampled import HopSampler


_COLUMNS_AT_ONCE = 64


@dataclass
class _Batch:
    """One step's users and their interactions, cut into input and target.

    Attributes:
        users: int64 [num_rows]; a user has two rows where each part of a history predicts the other.
        edges: Interactions used as input, and the row of ``users`` of each.
        targets: Interactions to be predicted, and their rows.
        hidden: Everything that must not be in the message passing.
    """

    users: IntArray
    edges: IntArray
    edge_rows: IntArray
    targets: IntArray
    target_rows: IntArray
    hidden: IntArray


@dataclass
class Run:
    """The state of one training: network, optimiser, random numbers."""

    graph: TrainingGraph
    config: TrainConfig
    sequence: bool
    steps: int = 0
    network: HeteroGraphSage = field(init=False)

    def __post_init__(self) -> None:
        config = self.config
        # Objects and users without events take no part, not even in what is drawn at random: what comes later
        # cannot change what is learned now.
        self.all = self.graph
        self.graph, _, self.objects = self.graph.compact()
        graph = self.graph
        self.device = torch_device(config.device)
        self.rng = np.random.default_rng(config.seed)
        self.interactions = Interactions.of(graph)
        signs = self.interactions.signs
        start = np.array([1.0, config.neutral, 0.0], dtype=np.float32)[signs]
        inputs, targets, _ = closed_form(self.interactions, start, config.dim, config.seed)
        self.positive = signs[self.interactions.channel] == 0
        self.names = _shared_names(graph)
        self.descriptions = description_matrices(graph, self.names)
        self.network = HeteroGraphSage(
            self.interactions,
            inputs,
            targets,
            [matrix for matrix in self.descriptions if matrix.nnz],
            description_scale=config.description_scale,
            neutral=config.neutral,
            gamma=config.gamma,
            smooth_inputs=config.smooth_inputs,
            device=self.device,
        )
        liked = np.bincount(self.interactions.object[self.positive], minlength=graph.num_objects)
        self.log_count = on(self.device, np.log(np.maximum(liked, 0.5)).astype(np.float32))
        chance = np.maximum(liked, 0.5)
        self.chance = chance / chance.sum()
        self.pairs = sp.csr_matrix(
            (
                np.ones(len(self.interactions), dtype=np.bool_),
                (self.interactions.user, self.interactions.object),
            ),
            shape=(graph.num_users, graph.num_objects),
        )
        per_user = np.bincount(self.interactions.user[self.positive], minlength=graph.num_users)
        self.eligible = np.flatnonzero(per_user >= 2)
        self.batch_users = min(config.batch_users, max(16, len(self.eligible) // 4))
        self.steps_per_epoch = max(1, round(len(self.eligible) / self.batch_users))
        self.total_steps = self.steps_per_epoch * config.epochs
        net = self.network
        tables = [net.table, *net.description]
        rate, betas = config.learning_rate, (0.9, 0.99)
        single = {"params": [net.channel_parameter, net.popularity], "full_rate": rate / 2}
        self.sampler: HopSampler | None = None
        self.optimizers: list[torch.optim.Optimizer]
        if propagation(graph, config) == "full":
            dense = [{"params": tables, "full_rate": rate}, single]
            self.optimizers = [torch.optim.Adam(dense, betas=betas, fused=True)]
        else:
            from graphprofile.graphsage.sampled import HopSampler

            self.sampler = HopSampler(self.interactions, *config.fanout, self.rng)
            dense = [{"params": tables[1:], "full_rate": rate}] if tables[1:] else []
            sparse = [{"params": tables[:1], "full_rate": rate}]
            self.optimizers = [
                torch.optim.Adam([*dense, single], betas=betas),
                torch.optim.SparseAdam(sparse, betas=betas),
            ]

    def state(self) -> dict[str, Any]:
        """All that training has changed so far: what :meth:`restore` takes."""
        return {
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "random": json.dumps(self.rng.bit_generator.state),
            "steps": self.steps,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back (or forward) to a state of the same training."""
        self.network.load_state_dict(state["network"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.rng.bit_generator.state = json.loads(state["random"])
        self.steps = state["steps"]

    def epoch(self) -> float:
        """One pass over the users; returns the mean loss.

        Raises:
            BadVectors: The loss is not a number.
        """
        losses = []
        for users in np.array_split(self.rng.permutation(self.eligible), self.steps_per_epoch):
            losses.append(self._step(np.sort(users)))
        mean = float(np.mean(losses))
        if not np.isfinite(mean):
            raise BadVectors("training diverged: the loss is not a number", "Use a smaller learning rate.")
        return mean

    def _step(self, users: IntArray) -> float:
        batch = self._batch(users)
        if len(batch.targets) == 0:
            return 0.0
        warm = min(1.0, (self.steps + 1) / max(1.0, 0.1 * self.total_steps))
        factor = warm * (1.0 - self.steps / self.total_steps)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["full_rate"] * factor
        self.steps += 1
        kept = [] if self.sampler else self._hide(batch.hidden)
        try:
            loss = self._loss(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            for optimizer in self.optimizers:
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
        finally:
            self._restore(kept)
        return float(loss.detach())

    def _batch(self, users: IntArray) -> _Batch:
        indptr = self.interactions.indptr
        length = indptr[users + 1] - indptr[users]
        row = np.repeat(np.arange(len(users)), length)
        offset = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        edge = np.repeat(indptr[users], length) + offset
        if self.sequence:
            edge = edge[np.lexsort((self.rng.random(len(edge)), self.interactions.ts[edge], row))]
            cut = self.rng.uniform(0.1, 0.95, len(users))
            is_input = (offset + 0.5) / np.repeat(length, length) < np.repeat(cut, length)
        else:
            is_input = self.rng.random(len(edge)) < self.config.input_fraction
            # Each part predicts the other, by a row of its own: a step over the graph teaches twice as much.
            users, row, edge = np.tile(users, 2), np.concatenate([row, row + len(users)]), np.tile(edge, 2)
            is_input = np.concatenate([is_input, ~is_input])
        usable = np.bincount(row[is_input & self.positive[edge]], minlength=len(users)) > 0
        is_target = ~is_input & self.positive[edge] & usable[row]
        return _Batch(users, edge[is_input], row[is_input], edge[is_target], row[is_target], edge[~is_input])

    def _hide(self, edges: IntArray) -> list[tuple[int, Tensor, Tensor]]:
        """Takes edges out of the message passing; returns what ``_restore`` needs."""
        channel = self.interactions.channel[edges]
        kept = []
        for index, relation in enumerate(self.network.relations):
            place = on(self.device, self.network.within[edges[channel == index]])
            if len(place):
                kept.append((index, place, relation.hide(place)))
        return kept

    def _restore(self, kept: list[tuple[int, Tensor, Tensor]]) -> None:
        for index, place, weights in kept:
            self.network.relations[index].restore(place, weights)

    def _loss(self, batch: _Batch) -> Tensor:
        """Sampled softmax with logQ correction; the user's known objects are no negatives.

        Source: Bengio and Senecal, "Adaptive importance sampling to accelerate training of a neural
        probabilistic language model", IEEE Transactions on Neural Networks 2008.
        """
        net, config = self.network, self.config
        keep = self._kept(self.graph.num_objects) if self.sampler is None else None
        column, shift = self._negatives()
        inputs, targets, place = self._vectors(batch, column, keep)
        edges = batch.edges
        users = net.users(
            inputs,
            place(self.interactions.object[edges]),
            self.interactions.channel[edges],
            batch.edge_rows,
            len(batch.users),
            self.interactions.strength[edges],
        )
        pull = net.popularity * self.log_count / config.temperature
        sharp = users / config.temperature
        if column is None:
            among, lift, mine = targets, pull, self.pairs[batch.users]
        else:
            among = targets.index_select(0, on(self.device, place(column)))
            lift = pull.index_select(0, on(self.device, column)) + shift
            mine = self.pairs[batch.users][:, column]
        everybody = LogSumExp.apply(lift, sharp, among, on(self.device, mine.toarray()))
        rows = on(self.device, batch.target_rows)
        wanted = self.interactions.object[batch.targets]
        their = targets.index_select(0, on(self.device, place(wanted)))
        cosine = (sharp.index_select(0, rows) * their).sum(dim=1)
        score = cosine + pull.index_select(0, on(self.device, wanted))
        per_target = torch.nn.functional.softplus(everybody.index_select(0, rows) - score)
        count = np.bincount(batch.target_rows, minlength=len(batch.users))[batch.target_rows]
        weight = on(self.device, (count ** (config.targets_power - 1.0)).astype(np.float32))
        return (per_target * weight).sum() / weight.sum()

    def _vectors(
        self, batch: _Batch, negatives: IntArray | None, keep: Tensor | None
    ) -> tuple[Tensor, Tensor, Callable[[IntArray], IntArray]]:
        """Inputs and targets of all objects, or of those the step needs; and where an object stands among them."""
        if self.sampler is None:
            inputs, targets = self.network(keep)
            return inputs, targets, lambda objects: objects
        chosen = self.interactions.object[np.concatenate([batch.edges, batch.targets])]
        needed = np.unique(np.concatenate([chosen, negatives if negatives is not None else chosen]))
        drawn = self.sampler.neighbourhood(needed, batch.hidden).to(str(self.device))
        keep = self._kept(len(drawn["object"].n_id))
        inputs, targets = self.network.sampled(drawn, batch.hidden, keep)
        return inputs, targets, lambda objects: np.searchsorted(needed, objects)

    def _kept(self, num_objects: int) -> Tensor | None:
        """0 for the rows that are dropped in this step, None where none ever is [num_objects, 1]."""
        if self.config.row_dropout == 0:
            return None
        drawn = self.rng.random((num_objects, 1)) >= self.config.row_dropout
        return on(self.device, drawn.astype(np.float32))

    def _negatives(self) -> tuple[IntArray | None, Tensor]:
        """Objects to compare with (None: all), and what their logits are shifted by: -log(expected draws)."""
        if self.sampler is None and len(self.chance) <= 2 * self.config.num_negatives:
            return None, self.log_count.new_zeros(())
        drawn = self.rng.choice(len(self.chance), self.config.num_negatives, p=self.chance)
        expected = np.log(self.config.num_negatives * self.chance[drawn])
        return drawn, on(self.device, -expected.astype(np.float32))

    @torch.no_grad()
    def model(self, choices: Choices, *, describe: bool = True) -> FittedModel:
        """The model as arrays.

        Args:
            choices: What validation chose.
            describe: Fold in the objects without events by their descriptions; else they have zero vectors.
        """
        net, graph = self.network, self.graph
        rows = net.rows()
        inputs = _by_columns(net, rows[:, : net.dim]) if net.smooth_inputs else rows[:, : net.dim].clone()
        targets = _by_columns(net, rows[:, net.dim :])
        _, scale = net.hop(rows[:, :1])
        tables = iter([table.detach().cpu().numpy().copy() for table in net.description])
        columns = popularity_columns(graph, HALF_LIVES_DAYS)
        coordinate = fitted.popularity_coordinate(columns, choices.calibration)
        trained = np.ones(graph.num_objects, dtype=np.bool_)
        mean = float(coordinate.mean())
        calibration = choices.calibration
        model = FittedModel(
            config=self.config.to_dict(),
            choices=choices.to_dict() | {"propagation": "sampled" if self.sampler else "full"},
            object_ids=graph.object_ids,
            object_kind=graph.object_kind,
            inputs=inputs.cpu().numpy(),
            targets=torch.nn.functional.normalize(targets, dim=1).cpu().numpy(),
            popularity=(coordinate - mean).astype(np.float32),
            trained=trained,
            known=trained.copy(),
            scaled_rows=(rows * scale).cpu().numpy(),
            gamma=float(net.gamma),
            event_types=graph.event_types,
            channel_weights=self._channel_table(),
            description_names=self.names,
            description_tables=tuple(
                next(tables) if matrix.nnz else np.zeros((len(names), 2 * net.dim), dtype=np.float32)
                for matrix, names in zip(self.descriptions, self.names, strict=True)
            ),
            user_half_life_days=choices.user_half_life_days,
            popularity_mean=mean,
            popularity_factors=tuple(value / calibration.cosine for value in calibration.popularity),
            newest_ts=int(graph.event_ts.max()),
        )
        model = fitted.expanded(model, self.all, self.objects)
        return fitted.with_described(model, self.all) if describe else model

    def _channel_table(self) -> FloatArray:
        start = np.array([1.0, self.config.neutral, 0.0], dtype=np.float32)
        table = np.tile(start, (len(self.graph.event_types), 1))
        place = {name: index for index, name in enumerate(self.graph.event_types)}
        weights = self.network.channel_weights().detach().cpu().numpy()
        live = weights[self.network.signs.cpu().numpy() != NEGATIVE]
        if len(live) == 1:
            # Only proportions matter then, and the hop took the weight of its only channel for 1.
            weights = weights / live[0]
        for name, weight in zip(self.interactions.names, weights, strict=True):
            table[place[name[:-1]], SIGNS.index(name[-1])] = weight
        return table


def propagation(graph: TrainingGraph, config: TrainConfig) -> str:
    """``full`` where a step over the whole graph fits into ``config.step_bytes``, else ``sampled``.

    Args:
        graph: The graph; its objects and users are counted.
        config: The recipe; ``config.propagation`` other than ``auto`` decides.
    """
    if config.propagation != "auto":
        return config.propagation
    # Rows, gradients and what is kept for the way back, of inputs and targets of each node.
    copies = 8 * graph.num_objects + 4 * graph.num_users
    return "full" if copies * 2 * config.dim * 4 <= config.step_bytes else "sampled"


def _by_columns(net: HeteroGraphSage, rows: Tensor) -> Tensor:
    """Rows plus hop; some columns at a time, so that all users' means never lie in memory together."""
    columns = (
        rows[:, start : start + _COLUMNS_AT_ONCE] for start in range(0, rows.shape[1], _COLUMNS_AT_ONCE)
    )
    return torch.cat([net.smoothed(some.contiguous()) for some in columns], dim=1)


def _shared_names(graph: TrainingGraph) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tags and properties that at least two objects share: one object's own token teaches nothing."""

    def shared(names: tuple[str, ...], obj: IntArray, name: IntArray) -> tuple[str, ...]:
        pairs = np.unique(np.stack([name, obj], axis=1), axis=0)
        count = np.bincount(pairs[:, 0], minlength=len(names))
        return tuple(sorted(text for text, n in zip(names, count, strict=True) if n >= 2))

    return (
        shared(graph.tag_names, graph.tag_object, graph.tag_tag),
        shared(graph.feature_names, graph.feature_object, graph.feature_feature),
    )
