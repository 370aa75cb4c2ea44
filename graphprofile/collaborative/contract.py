"""What every method of ranking has: it is fitted to pairs of users and items, and scores all items for some users."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphprofile.errors import UsageError

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]
Tick = Callable[[], None]
"""Called now and then while fitting; may raise to end it."""


@runtime_checkable
class Fitted(Protocol):
    """A method that has learnt."""

    def scores(self, users: IntArray) -> FloatArray:
        """Scores of all items, larger is better.

        Args:
            users: Rows of the matrix it was fitted to, int64 [n].

        Returns:
            float32 [n, num_items].
        """
        ...


@runtime_checkable
class Method(Protocol):
    """A method with its settings; knows nothing until it is fitted."""

    def fit(self, pairs: sp.csr_matrix, tick: Tick | None = None) -> Fitted:
        """Learn from who chose what.

        Args:
            pairs: CSR of ones, float32 [num_users, num_items].
            tick: Called now and then.
        """
        ...


@dataclass(frozen=True)
class Vectors:
    """Users and items as vectors whose dot product is the score; stored embeddings are this as they are.

    Attributes:
        users: float32 [num_users, dimension].
        items: float32 [num_items, dimension].
    """

    users: FloatArray
    items: FloatArray

    def fit(self, pairs: sp.csr_matrix, tick: Tick | None = None) -> Vectors:
        """Itself: what it knows, it was given.

        Raises:
            UsageError: Of another shape than the pairs.
        """
        if pairs.shape != (len(self.users), len(self.items)):
            raise UsageError(
                f"There are vectors of {len(self.users)} users and {len(self.items)} items, and pairs of "
                f"{pairs.shape[0]} and {pairs.shape[1]}.",
                "Take both from one graph.",
            )
        return self

    def scores(self, users: IntArray) -> FloatArray:
        """See :class:`Fitted`."""
        found: FloatArray = np.asarray(self.users[users] @ self.items.T, dtype=np.float32)
        return found


@dataclass(frozen=True)
class Popular:
    """The same scores for everybody.

    Attributes:
        counts: float32 [num_items].
    """

    counts: FloatArray

    def scores(self, users: IntArray) -> FloatArray:
        """See :class:`Fitted`."""
        return np.tile(self.counts, (len(users), 1))


@dataclass(frozen=True)
class Popularity:
    """The number of users of each item."""

    def fit(self, pairs: sp.csr_matrix, tick: Tick | None = None) -> Popular:
        """See :class:`Method`."""
        return Popular(np.asarray(pairs.sum(axis=0), dtype=np.float32).ravel())
