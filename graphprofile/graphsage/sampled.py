"""The hop object -> user -> object over a sample of the neighbours, for graphs too large to go over whole in each step.

A step then needs memory for its own users, their objects and the negatives, each with at most so many users, each of
these with at most so many objects; not for the graph. The sums are estimates without bias of those over all edges, and
equal to them where no node has more neighbours than are drawn.

Source: Hamilton, Ying and Leskovec, "Inductive representation learning on large graphs", NeurIPS 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import HeteroData
from torch_geometric.loader import NodeLoader
from torch_geometric.sampler import BaseSampler, HeteroSamplerOutput, NodeSamplerInput

from graphprofile.graphsage.data import BoolArray, IntArray
from graphprofile.graphsage.interactions import Interactions
from graphprofile.graphsage.model import NEGATIVE, places

USER_OF_OBJECT = ("user", "chose", "object")
OBJECT_OF_USER = ("object", "chosen_by", "user")


@dataclass(frozen=True)
class _Side:
    """The edges at each node of one kind.

    Attributes:
        indptr: int64 [num_nodes + 1].
        edges: Edges by node, int64 [num_edges].
    """

    indptr: IntArray
    edges: IntArray

    @classmethod
    def of(cls, nodes: IntArray, num_nodes: int, edges: IntArray) -> _Side:
        order = np.argsort(nodes[edges], kind="stable")
        count = np.bincount(nodes[edges], minlength=num_nodes)
        return cls(np.concatenate([[0], np.cumsum(count)]).astype(np.int64), edges[order])

    def draw(self, nodes: IntArray, most: int, random: np.random.Generator) -> tuple[IntArray, IntArray]:
        """At most ``most`` edges of each node: all of them, or as many draws with replacement.

        Returns:
            Position in ``nodes`` and edge, of each draw.
        """
        degree = self.indptr[nodes + 1] - self.indptr[nodes]
        count = np.minimum(degree, most)
        row = np.repeat(np.arange(len(nodes)), count)
        offset = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        # Training draws neighbours; a seed repeats it.
        drawn = (random.random(len(row)) * degree[row]).astype(np.int64)  # nosec B311
        offset = np.where(degree[row] <= most, offset, drawn)
        return row, self.edges[self.indptr[nodes][row] + offset]

    def scale(self, nodes: IntArray, most: int) -> Any:
        """How many edges of a node each draw stands for, float32 [n]."""
        degree = self.indptr[nodes + 1] - self.indptr[nodes]
        return np.maximum(degree / most, 1.0).astype(np.float32)


class HopSampler(BaseSampler):  # type: ignore[misc]
    """Draws the neighbourhood of objects: their users, and the objects of these.

    Args:
        interactions: The edges; those of negative channels are never drawn.
        users_per_object: At most so many.
        objects_per_user: At most so many.
        random: Draws.
    """

    def __init__(
        self,
        interactions: Interactions,
        users_per_object: int,
        objects_per_user: int,
        random: np.random.Generator,
    ) -> None:
        super().__init__()
        self._interactions = interactions
        self._most = (users_per_object, objects_per_user)
        self._random = random
        live = np.flatnonzero(interactions.signs[interactions.channel] != NEGATIVE)
        self._of_object = _Side.of(interactions.object, interactions.num_objects, live)
        self._of_user = _Side.of(interactions.user, interactions.num_users, live)
        self._hidden: BoolArray = np.zeros(len(interactions), dtype=np.bool_)
        both = torch.from_numpy(np.stack([interactions.user, interactions.object]))
        self._data = HeteroData()
        self._data["user"].num_nodes = interactions.num_users
        self._data["object"].num_nodes = interactions.num_objects
        for name, index in ((USER_OF_OBJECT, both), (OBJECT_OF_USER, both.flip(0))):
            self._data[name].edge_index = index
            self._data[name].strength = torch.from_numpy(interactions.strength)
            self._data[name].channel = torch.from_numpy(interactions.channel)

    @property
    def edge_permutation(self) -> None:
        """Edges are numbered as in the graph."""
        return None

    def neighbourhood(self, objects: IntArray, hidden: IntArray) -> HeteroData:
        """The drawn subgraph around objects, which are its first object nodes.

        Args:
            objects: Different objects, int64 [n].
            hidden: Edges that must not be drawn, int64 [m].

        Returns:
            ``n_id`` of both kinds of nodes; both kinds of edges with ``strength`` and ``channel``; on objects
            ``scale``, how many edges a draw stands for.
        """
        self._hidden[hidden] = True
        try:
            loader = NodeLoader(
                self._data,
                node_sampler=self,
                input_nodes=("object", torch.from_numpy(objects)),
                batch_size=len(objects),
                shuffle=False,
            )
            batch: HeteroData = next(iter(loader))
        finally:
            self._hidden[hidden] = False
        batch["object"].scale = torch.from_numpy(self._of_object.scale(objects, self._most[0]))
        return batch

    def sample_from_nodes(self, index: NodeSamplerInput, **_: Any) -> HeteroSamplerOutput:
        """See :class:`torch_geometric.sampler.BaseSampler`."""
        interactions = self._interactions
        objects = index.node.numpy()
        at_object, first = self._of_object.draw(objects, self._most[0], self._random)
        at_object, first = self._shown(at_object, first)
        users, at_user = np.unique(interactions.user[first], return_inverse=True)
        of_user, second = self._of_user.draw(users, self._most[1], self._random)
        of_user, second = self._shown(of_user, second)
        others = np.setdiff1d(interactions.object[second], objects)
        around = np.concatenate([objects, others])
        node = {"user": users, "object": around}
        row = {USER_OF_OBJECT: at_user, OBJECT_OF_USER: places(around, interactions.object[second])}
        col = {USER_OF_OBJECT: at_object, OBJECT_OF_USER: of_user}
        edge = {USER_OF_OBJECT: first, OBJECT_OF_USER: second}
        return HeteroSamplerOutput(
            *(_tensors(columns) for columns in (node, row, col, edge)),
            metadata=(index.input_id, index.time),
        )

    def sample_from_edges(self, *_: Any, **__: Any) -> HeteroSamplerOutput:
        """Not used."""
        raise NotImplementedError

    def _shown(self, row: IntArray, edge: IntArray) -> tuple[IntArray, IntArray]:
        keep = ~self._hidden[edge]
        return row[keep], edge[keep]


def _tensors(columns: dict[Any, IntArray]) -> dict[Any, Tensor]:
    return {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in columns.items()}
