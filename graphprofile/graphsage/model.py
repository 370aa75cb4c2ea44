"""The network: a heterogeneous GraphSAGE whose users have no row of their own.

Objects carry two vectors, one as input (what the object says about a user who chose it) and one as target
(what a user must look like to choose it). Both start from the closed-form truncated SVD of the normalised
interaction matrix and are learned from there, plus the learned vectors of the object's tags and properties.
One hop object -> user -> object smooths them; a user is the unit vector of the weighted sum of the inputs of the
user's objects. Per layer there is a weighted mean per edge type, a learned weight per edge type and a residual,
and nothing else: non-linear layers hurt on graphs that are mostly ids.

Sources: Hamilton, Ying and Leskovec, "Inductive representation learning on large graphs", NeurIPS 2017
(GraphSAGE); He et al., "LightGCN", SIGIR 2020 (linear layers, symmetric normalisation); Shen et al., "How
powerful is graph convolution for recommendation?", CIKM 2021 (the closed form as low-pass filter).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from graphprofile.graphsage.data import BoolArray, FloatArray, IntArray
from graphprofile.graphsage.device import on
from graphprofile.graphsage.interactions import Interactions
from graphprofile.graphsage.sums import (
    CPU,
    EdgeSum,
    OneHop,
    Relation,
    SparseProduct,
    TypedSum,
    sparse_tensor,
)

with warnings.catch_warnings():
    # PyG compiles parts of itself with torch.jit.script on import, which new versions of torch deprecate.
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    from torch_geometric.data import HeteroData

EPSILON = 1e-8
LEAST_DEGREE = 1e-6
NEGATIVE = 2


def places(nodes: IntArray, wanted: IntArray) -> IntArray:
    """Where each wanted node stands among different nodes, which hold it."""
    order = np.argsort(nodes)
    found: IntArray = order[np.searchsorted(nodes, wanted, sorter=order)]
    return found


def unit(x: Tensor) -> Tensor:
    """Rows scaled to length 1; zero rows stay zero."""
    return torch.nn.functional.normalize(x, dim=1, eps=EPSILON)


class HeteroGraphSage(nn.Module):
    """Vectors of objects, and of users from their interactions.

    Args:
        interactions: The edges between users and objects.
        start_input: Closed-form input vectors [num_objects, dim].
        start_target: Closed-form target vectors [num_objects, dim].
        descriptions: Per kind of description (tags, properties) a row-normalised CSR [num_objects,
            num_names].
        description_scale: How much descriptions count at the start.
        neutral: Weight of channels with contribution 0 at the start.
        gamma: Weight of the hop.
        smooth_inputs: Whether it goes over the inputs, too.
        device: Where it computes.
    """

    def __init__(
        self,
        interactions: Interactions,
        start_input: FloatArray,
        start_target: FloatArray,
        descriptions: list[sp.csr_matrix],
        *,
        description_scale: float,
        neutral: float,
        gamma: float,
        smooth_inputs: bool = True,
        device: torch.device = CPU,
    ) -> None:
        super().__init__()
        self.device, self.smooth_inputs = device, smooth_inputs
        self.dim = start_input.shape[1]
        self.interactions = interactions
        self.table = nn.Parameter(torch.from_numpy(np.concatenate([start_input, start_target], axis=1)))
        shape = (interactions.num_users, interactions.num_objects)
        self.relations: list[Relation] = []
        self.within = np.empty(len(interactions), dtype=np.int64)
        for channel in range(len(interactions.names)):
            mine = np.flatnonzero(interactions.channel == channel)
            self.within[mine] = np.arange(len(mine))
            self.relations.append(
                Relation(
                    interactions.user[mine],
                    interactions.object[mine],
                    interactions.strength[mine],
                    shape,
                    device,
                )
            )
        start_weight = {0: 0.0, 1: float(np.log(neutral)), NEGATIVE: 0.0}
        signs = interactions.signs
        self.register_buffer("signs", torch.from_numpy(signs), persistent=False)
        self.signs: Tensor
        self.channel_parameter = nn.Parameter(torch.tensor([start_weight[int(sign)] for sign in signs]))
        self.register_buffer("gamma", torch.tensor(float(gamma)))
        self.gamma: Tensor
        self.popularity = nn.Parameter(torch.tensor(0.05))
        self.sum, self.edge_sum = TypedSum(), EdgeSum()
        self._strength: Tensor | None = None
        self.descriptions = descriptions
        self.describing = [_description_relation(matrix, device) for matrix in descriptions]
        self.description = nn.ParameterList(
            nn.Parameter(description_scale * _mean_of_objects(matrix, self.table.detach()))
            for matrix in descriptions
        )
        self.to(device)

    def channel_weights(self) -> Tensor:
        """Learned weight of each channel [num_channels]: above 0, but of negative ones free."""
        free = self.channel_parameter
        return torch.where(self.signs == NEGATIVE, free, free.exp())

    def rows(self, keep: Tensor | None = None) -> Tensor:
        """Objects' own rows before the hop: learned ones, tags, properties [num_objects, 2 * dim].

        Args:
            keep: 0 where the learned row is dropped, as for an object never seen [num_objects, 1].
        """
        own = self.table if keep is None else self.table * keep
        for relation, table in zip(self.describing, self.description, strict=True):
            own = own + self.sum(table, relation)
        return own

    def hop(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """One hop object -> user -> object with symmetric normalisation, over all but negative channels.

        Args:
            rows: [num_objects, width].

        Returns:
            The sums to be scaled [num_objects, width], and the objects' scales [num_objects, 1].
        """
        weights, live = self.channel_weights(), self._live()
        if len(live) == 1:
            # The weight of a single channel cancels out, and multiplying whole tables by it costs a tenth of
            # a step.
            weights = torch.ones_like(weights)
        ones_objects = rows.new_ones(len(rows), 1)
        ones_users = rows.new_ones(self.interactions.num_users, 1)
        of_objects = self._over(live, weights, ones_users, reverse=True)
        of_users = self._over(live, weights, ones_objects)
        scale = _inverse_root(of_objects)
        users = self._over(live, weights, rows * scale) / of_users.clamp(min=LEAST_DEGREE)
        return self._over(live, weights, users, reverse=True), scale

    def _live(self) -> list[int]:
        """The channels that the hop goes over."""
        return [channel for channel, sign in enumerate(self.signs.tolist()) if sign != NEGATIVE]

    def _over(self, live: list[int], weights: Tensor, x: Tensor, *, reverse: bool = False) -> Tensor:
        """Weighted sum over several channels."""
        total: Tensor = self.sum(x, self.relations[live[0]], reverse=reverse)
        if len(live) == 1:
            return total
        total = total * weights[live[0]]
        for channel in live[1:]:
            total = total + weights[channel] * self.sum(x, self.relations[channel], reverse=reverse)
        return total

    def forward(self, keep: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Input vectors and unit target vectors of all objects, each [num_objects, dim]."""
        rows = self.rows(keep)
        if self.smooth_inputs:
            inputs, targets = torch.split(self.smoothed(rows), self.dim, dim=1)
        else:
            inputs, targets = rows[:, : self.dim], self.smoothed(rows[:, self.dim :])
        return inputs, unit(targets)

    def smoothed(self, rows: Tensor) -> Tensor:
        """Rows of all objects plus gamma times their hop [num_objects, width]."""
        live = self._live()
        if len(live) == 1:
            out: Tensor = OneHop.apply(rows, self._add_hop_of(self.relations[live[0]]))
            return out
        total, scale = self.hop(rows)
        return torch.addcmul(rows, total, self.gamma * scale)

    def _add_hop_of(self, relation: Relation) -> Callable[[Tensor], Tensor]:
        """As :meth:`smoothed` over a single channel, whose learned weight cancels out."""
        with torch.no_grad():
            ones_users = torch.ones(self.interactions.num_users, 1, device=self.device)
            ones_objects = torch.ones(self.interactions.num_objects, 1, device=self.device)
            of_objects = self.sum(ones_users, relation, reverse=True)
            share = self.sum(ones_objects, relation).clamp(min=LEAST_DEGREE).reciprocal()
        scale = _inverse_root(of_objects)

        def add_hop(rows: Tensor) -> Tensor:
            users = self.sum(rows * scale, relation).mul_(share)
            hop: Tensor = self.sum(users, relation, reverse=True)
            return hop.mul_(self.gamma * scale).add_(rows)

        return add_hop

    def sampled(
        self, drawn: HeteroData, hidden: IntArray, keep: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """As :meth:`forward`, of the objects around which a neighbourhood was drawn.

        Args:
            drawn: See :meth:`graphprofile.graphsage.sampled.HopSampler.neighbourhood`.
            hidden: Edges that were not to be drawn, int64 [n].
            keep: 0 where learned rows are dropped, of the drawn objects [num_drawn, 1].
        """
        nodes, stands_for = drawn["object"].n_id, drawn["object"].scale
        weights = self.channel_weights()
        to_objects, to_users = drawn["user", "chose", "object"], drawn["object", "chosen_by", "user"]
        rows = self._own_rows(nodes, keep)
        smoothed = rows if self.smooth_inputs else rows[:, self.dim :]
        degree = weights @ self._strength_without(hidden, nodes)
        scale = _inverse_root(degree)[:, None]
        weight = weights[to_users.channel] * to_users.strength
        size = (len(nodes), len(drawn["user"].n_id))
        total = weight.new_zeros(size[1]).index_add(0, to_users.edge_index[1], weight)
        users = (
            self.edge_sum(smoothed * scale, to_users.edge_index, weight, size)
            / total.clamp(min=LEAST_DEGREE)[:, None]
        )
        weight = weights[to_objects.channel] * to_objects.strength * stands_for[to_objects.edge_index[1]]
        size = (size[1], len(stands_for))
        hop = self.edge_sum(users, to_objects.edge_index, weight, size)
        smoothed = torch.addcmul(smoothed[: size[1]], hop, self.gamma * scale[: size[1]])
        inputs = (smoothed if self.smooth_inputs else rows[: size[1]])[:, : self.dim]
        return inputs, unit(smoothed[:, -self.dim :])

    def _own_rows(self, nodes: Tensor, keep: Tensor | None) -> Tensor:
        """As :meth:`rows`, of some objects; the table gets a sparse gradient."""
        own: Tensor = nn.functional.embedding(nodes, self.table, sparse=True)
        if keep is not None:
            own = own * keep
        for matrix, table in zip(self.descriptions, self.description, strict=True):
            some = matrix[nodes.cpu().numpy()]
            pair = (sparse_tensor(some).to(self.device), sparse_tensor(some.T.tocsr()).to(self.device))
            product: Tensor = SparseProduct.apply(*pair, table)
            own = own + product
        return own

    def _strength_without(self, hidden: IntArray, nodes: Tensor) -> Tensor:
        """Sums of the strengths of some objects' edges by channel, 0 for negative ones [num_channels, num_nodes].

        Args:
            hidden: Edges that do not count.
            nodes: Different objects, int64 [num_nodes].
        """
        edges = self.interactions
        if self._strength is None:
            live = (edges.signs[edges.channel] != NEGATIVE) * edges.strength
            matrix = sp.coo_matrix(
                (live, (edges.channel, edges.object)), shape=(len(edges.names), edges.num_objects)
            )
            self._strength = on(self.device, matrix.toarray().astype(np.float32))
        out = self._strength.index_select(1, nodes)
        among = nodes.cpu().numpy()
        hidden = hidden[np.isin(edges.object[hidden], among)]
        live = (edges.signs[edges.channel[hidden]] != NEGATIVE) * edges.strength[hidden]
        place = (
            on(self.device, edges.channel[hidden]),
            on(self.device, places(among, edges.object[hidden])),
        )
        out.index_put_(place, -on(self.device, live.astype(np.float32)), accumulate=True)
        return out

    def users(
        self,
        inputs: Tensor,
        objects: IntArray,
        channels: IntArray,
        row: IntArray,
        num_rows: int,
        factor: FloatArray,
    ) -> Tensor:
        """Unit vectors of users from some of their interactions [num_rows, dim].

        Args:
            inputs: Input vectors of objects [num_objects, dim].
            objects: Row of ``inputs`` of each interaction, int64 [n].
            channels: Channel of each, int64 [n].
            row: The row each belongs to, ascending, int64 [n].
            num_rows: Number of users.
            factor: Strength times recency, float32 [n].
        """
        weight = self.channel_weights()[on(self.device, channels)] * on(self.device, factor)
        starts = on(self.device, np.searchsorted(row, np.arange(num_rows)))
        total = nn.functional.embedding_bag(
            on(self.device, objects), inputs, starts, mode="sum", per_sample_weights=weight
        )
        return unit(total)


def _inverse_root(degree: Tensor) -> Tensor:
    """1 / sqrt of each degree, 0 where there is none."""
    return torch.where(degree > LEAST_DEGREE, degree.clamp(min=LEAST_DEGREE).rsqrt(), 0.0)


def _description_relation(matrix: sp.csr_matrix, device: torch.device) -> Relation:
    entries = matrix.tocoo()
    return Relation(
        entries.row.astype(np.int64),
        entries.col.astype(np.int64),
        entries.data.astype(np.float32),
        matrix.shape,
        device,
    )


def _mean_of_objects(matrix: sp.csr_matrix, rows: Tensor) -> Tensor:
    """A tag's first vector: the weighted mean of the rows of its objects."""
    total = np.asarray(matrix.sum(axis=0)).ravel()
    mean = sp.diags_array(1.0 / np.maximum(total, EPSILON)) @ (matrix.T @ rows.numpy())
    return torch.from_numpy(np.asarray(mean, dtype=np.float32))


def closed_form(
    interactions: Interactions, channel_start: FloatArray, dim: int, seed: int
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Truncated SVD of D_u^-1/2 R D_i^-1/2: inputs D_i^-1/2 V and targets D_i^1/2 V, scaled to mean length 1.

    Args:
        interactions: The edges.
        channel_start: Weight of each channel, 0 for those left out, float32 [num_channels].
        dim: Columns; where the matrix has a lower rank the rest is zero.
        seed: Of the randomised SVD.

    Returns:
        Inputs and targets, float32 [num_objects, dim], and which objects have any such edge, bool
        [num_objects].
    """
    from sklearn.utils.extmath import randomized_svd

    weight = channel_start[interactions.channel] * interactions.strength
    shape = (interactions.num_users, interactions.num_objects)
    matrix = sp.csr_matrix((weight, (interactions.user, interactions.object)), shape=shape, dtype=np.float32)
    matrix.sum_duplicates()
    of_users = np.asarray(matrix.sum(axis=1)).ravel()
    of_objects = np.asarray(matrix.sum(axis=0)).ravel()
    known = of_objects > 0
    left = np.where(of_users > 0, 1.0 / np.sqrt(np.maximum(of_users, EPSILON)), 0.0)
    right = np.where(known, 1.0 / np.sqrt(np.maximum(of_objects, EPSILON)), 0.0)
    normal = (sp.diags_array(left) @ matrix @ sp.diags_array(right)).tocsr().astype(np.float32)
    rank = min(dim, int(known.sum()) - 1, int((of_users > 0).sum()) - 1)
    # The sign of a singular vector is a convention; flip_sign fixes it, so that equal data gives equal
    # vectors.
    vectors = randomized_svd(normal, max(rank, 1), n_iter=6, random_state=seed)[2].T
    vectors = np.pad(vectors, ((0, 0), (0, max(0, dim - vectors.shape[1]))))
    inputs = vectors * right[:, None]
    targets = vectors * np.sqrt(of_objects)[:, None]
    for table in (inputs, targets):
        length = np.linalg.norm(table[known], axis=1).mean() if known.any() else 0.0
        table /= max(float(length), EPSILON)
    return inputs.astype(np.float32), targets.astype(np.float32), known
