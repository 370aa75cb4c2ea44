"""Sums over typed edges: what every layer of the network is made of, as layers of PyG."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graphprofile.graphsage.data import FloatArray, IntArray
from graphprofile.graphsage.device import on

with warnings.catch_warnings():
    # PyG compiles parts of itself with torch.jit.script on import, which new versions of torch deprecate.
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    from torch_geometric.nn import MessagePassing

CPU = torch.device("cpu")


def sparse_tensor(matrix: sp.csr_matrix) -> Tensor:
    """A float32 CSR tensor over the arrays of a SciPy matrix (values are shared, not copied)."""
    with warnings.catch_warnings():
        # torch announces on first use that its CSR layout is in beta.
        warnings.filterwarnings("ignore", message="Sparse", category=UserWarning)
        return torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr.astype(np.int32)),
            torch.from_numpy(matrix.indices.astype(np.int32)),
            torch.from_numpy(matrix.data),
            size=matrix.shape,
            check_invariants=False,
        )


class SparseProduct(torch.autograd.Function):
    """Sparse matrix times x, with the transposed matrix at hand for the way back."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, transposed: Tensor, x: Tensor) -> Tensor:
        """The product."""
        ctx.transposed = transposed
        out: Tensor = torch.sparse.mm(matrix, x)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, Tensor]:
        """The gradient of x."""
        return None, None, torch.sparse.mm(ctx.transposed, grads[0].contiguous())


class OneHop(torch.autograd.Function):
    """Rows plus their hop where its matrix is fixed: it is symmetric, so the way back is the same sum."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, add_hop: Callable[[Tensor], Tensor]) -> Tensor:
        """The rows with their hop."""
        ctx.add_hop = add_hop
        return add_hop(rows)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """The gradient of the rows."""
        return ctx.add_hop(grads[0]), None


class Relation:
    """The weighted edges of one edge type, in both directions, with edges that can be hidden for a while.

    Args:
        row: Target node of each edge in the forward direction, int64 [num_edges].
        column: Source node, int64 [num_edges].
        weight: float32 [num_edges].
        shape: Number of rows and columns.
        device: Where the sums are made.
    """

    def __init__(
        self,
        row: IntArray,
        column: IntArray,
        weight: FloatArray,
        shape: tuple[int, int],
        device: torch.device = CPU,
    ) -> None:
        position = np.arange(len(row), dtype=np.int64)
        forward = sp.coo_matrix((position + 1, (row, column)), shape=shape).tocsr()
        backward = forward.T.tocsr()
        self._at = [self._store(matrix, weight, device) for matrix in (forward, backward)]
        self.matrix, self.transposed = (entry[0] for entry in self._at)

    @staticmethod
    def _store(positions: sp.csr_matrix, weight: FloatArray, device: torch.device) -> tuple[Tensor, Tensor]:
        edge = positions.data - 1
        place = np.empty(len(edge), dtype=np.int64)
        place[edge] = np.arange(len(edge))
        values = np.ascontiguousarray(weight[edge], dtype=np.float32)
        matrix = sp.csr_matrix((values, positions.indices, positions.indptr), shape=positions.shape)
        return sparse_tensor(matrix).to(device), on(device, place)

    def hide(self, edges: Tensor) -> Tensor:
        """Sets the weight of some edges to 0 and returns their weights, for ``restore``."""
        kept = self.matrix.values()[self._at[0][1][edges]].clone()
        self.restore(edges, torch.zeros_like(kept))
        return kept

    def restore(self, edges: Tensor, weights: Tensor) -> None:
        """Gives edges the weights they had."""
        for matrix, place in self._at:
            matrix.values()[place[edges]] = weights


class _Sum(MessagePassing):  # type: ignore[misc]
    """A layer that sums."""

    def __init__(self) -> None:
        super().__init__(aggr="sum")

    def _set_jittable_templates(self, raise_on_error: bool = False) -> None:
        """Does nothing: PyG would write a module for TorchScript into ``TMPDIR`` and leave it there."""


class TypedSum(_Sum):
    """Weighted sum over the edges of one relation, fused into one sparse product."""

    def forward(self, x: Tensor, relation: Relation, *, reverse: bool = False) -> Tensor:
        """Sums the source vectors of each target node.

        Args:
            x: Source vectors [num_sources, dim].
            relation: The edges; rows are targets.
            reverse: Rows are sources instead.
        """
        matrix, transposed = relation.matrix, relation.transposed
        if reverse:
            matrix, transposed = transposed, matrix
        # PyG's way to it, propagate, would first make a list of edges of the matrix, in every step.
        return self.message_and_aggregate(matrix, x=x, transposed=transposed)

    def message_and_aggregate(self, edge_index: Tensor, x: Tensor, transposed: Tensor) -> Tensor:
        """The fused form of message and aggregation."""
        out: Tensor = SparseProduct.apply(edge_index, transposed, x)
        return out


class EdgeSum(_Sum):
    """Weighted sum over the edges of a drawn subgraph."""

    def forward(self, x: Tensor, edge_index: Tensor, weight: Tensor, size: tuple[int, int]) -> Tensor:
        """Sums the source vectors of each target node.

        Args:
            x: Source vectors [num_sources, dim].
            edge_index: Source and target of each edge, int64 [2, num_edges].
            weight: float32 [num_edges].
            size: Number of sources and of targets.
        """
        out: Tensor = self.propagate(edge_index, x=(x, None), weight=weight, size=size)
        return out

    def message(self, x_j: Tensor, weight: Tensor) -> Tensor:
        """Of one edge."""
        return x_j * weight[:, None]
