"""The sum under the softmax: the largest matrix of a training step, made once and used in place."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class LogSumExp(torch.autograd.Function):
    """Logarithm of the sum of e^(row · column + shift) over columns, some of them left out.

    Built of PyTorch's own steps it would make the matrix of all rows and columns several times in a step, each time in
    pages fresh from the kernel.
    """

    @staticmethod
    def forward(ctx: Any, shift: Tensor, rows: Tensor, columns: Tensor, left_out: Tensor) -> Tensor:
        """The sums.

        Args:
            ctx: Keeps what the way back needs.
            shift: Added to the products of each column [num_columns].
            rows: [num_rows, dim].
            columns: [num_columns, dim].
            left_out: Pairs that do not count, bool [num_rows, num_columns].

        Returns:
            [num_rows]; minus infinity where nothing counts.
        """
        terms = torch.addmm(shift, rows, columns.T).masked_fill_(left_out, -torch.inf)
        top = terms.amax(dim=1, keepdim=True).clamp_(min=torch.finfo(terms.dtype).min)
        total = terms.sub_(top).exp_().sum(dim=1, keepdim=True)
        ctx.save_for_backward(terms, total, rows, columns)
        return (total.log() + top).squeeze(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """The gradients of shift, rows and columns; the terms are gone afterwards."""
        terms, total, rows, columns = ctx.saved_tensors
        # The largest term is 1: a smaller sum is that of nothing.
        terms.mul_(grads[0][:, None] / total.clamp(min=1.0))
        return terms.sum(dim=0), terms @ columns, terms.T @ rows, None
