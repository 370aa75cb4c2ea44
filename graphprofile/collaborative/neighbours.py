"""Neighbourhood methods: what people with the same choices chose, and what is chosen by the same people.

Sources: Resnick et al., "GroupLens: an open architecture for collaborative filtering of netnews", CSCW 1994 (users);
Sarwar et al., "Item-based collaborative filtering recommendation algorithms", WWW 2001 (items); the shrinkage of
Koren, "Factor in the neighbors", TKDD 2010, in the form that keeps the similarity a product of two vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from graphprofile.collaborative.contract import FloatArray, IntArray, Tick

ROWS_AT_ONCE = 1_000
CELLS_AT_ONCE = 20_000_000
"""Of a block of similarities where all of them are there: a number and its column take 8 bytes."""


def shrunk(pairs: sp.csr_matrix, shrinkage: float) -> sp.csr_matrix:
    """The matrix with columns divided by sqrt(count + shrinkage): products of its columns are shrunk cosines."""
    count = np.asarray(pairs.sum(axis=0)).ravel()
    inverse = 1.0 / np.sqrt(np.maximum(count + shrinkage, 1e-12))
    scaled: sp.csr_matrix = (pairs @ sp.diags_array(inverse)).tocsr().astype(np.float32)
    return scaled


def strongest(close: sp.csr_matrix, keep: int, own: IntArray) -> sp.csr_matrix:
    """The largest entries of each row without the row's own column.

    Args:
        close: Similarities [n, m].
        keep: How many a row.
        own: The column that is the row itself, int64 [n].
    """
    close = close.tocsr()
    rows, columns, values = [], [], []
    for row in range(close.shape[0]):
        of_row = slice(close.indptr[row], close.indptr[row + 1])
        column, value = close.indices[of_row], close.data[of_row]
        wanted = (column != own[row]) & (value > 0)
        column, value = column[wanted], value[wanted]
        if len(value) > keep:
            border = np.partition(value, len(value) - keep)[len(value) - keep]
            above = np.flatnonzero(value > border)
            # Ties go to the smaller column, so that the result does not depend on the order of the entries.
            tied = np.flatnonzero(value == border)
            tied = tied[np.argsort(column[tied])][: keep - len(above)]
            best = np.concatenate([above, tied])
            column, value = column[best], value[best]
        rows.append(np.full(len(column), row))
        columns.append(column)
        values.append(value)
    if not rows:
        return sp.csr_matrix(close.shape, dtype=np.float32)
    return sp.csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=close.shape
    )


@dataclass(frozen=True)
class ItemKNN:
    """The sum over a user's items of their similarity to an item, if they are among its nearest.

    Attributes:
        neighbours: Nearest items that count for an item.
        shrinkage: Added to both counts below the cosine: similarity on few users counts less.
    """

    neighbours: int = 200
    shrinkage: float = 10.0

    def fit(self, pairs: sp.csr_matrix, tick: Tick | None = None) -> FittedItemKNN:
        """See :class:`graphprofile.collaborative.contract.Method`."""
        scaled = shrunk(pairs, self.shrinkage).tocsc()
        transposed = scaled.T.tocsr()
        blocks = []
        at_once = max(1, min(ROWS_AT_ONCE, CELLS_AT_ONCE // max(1, pairs.shape[1])))
        for start in range(0, pairs.shape[1], at_once):
            part = transposed[start : start + at_once]
            own = np.arange(start, start + part.shape[0])
            blocks.append(strongest(part @ scaled, self.neighbours, own))
            if tick:
                tick()
        return FittedItemKNN(pairs, sp.vstack(blocks).T.tocsr())


@dataclass(frozen=True)
class FittedItemKNN:
    """Similarities of items, kept.

    Attributes:
        pairs: What it was fitted to.
        similar: CSR [num_items, num_items]; column i has the neighbours of i.
    """

    pairs: sp.csr_matrix
    similar: sp.csr_matrix

    def scores(self, users: IntArray) -> FloatArray:
        """See :class:`graphprofile.collaborative.contract.Fitted`."""
        found: FloatArray = (self.pairs[users] @ self.similar).toarray().astype(np.float32)
        return found


@dataclass(frozen=True)
class UserKNN:
    """The sum over a user's nearest users of their similarity, for the items they chose.

    Attributes:
        neighbours: Nearest users that count.
        shrinkage: As for :class:`ItemKNN`, over items.
    """

    neighbours: int = 200
    shrinkage: float = 10.0

    def fit(self, pairs: sp.csr_matrix, tick: Tick | None = None) -> FittedUserKNN:
        """See :class:`graphprofile.collaborative.contract.Method`."""
        scaled = shrunk(pairs.T.tocsr(), self.shrinkage)
        return FittedUserKNN(pairs, scaled.T.tocsr(), scaled, self.neighbours)


@dataclass(frozen=True)
class FittedUserKNN:
    """Neighbours are found when somebody asks: a list for everybody would grow with the square of the users.

    Attributes:
        pairs: What it was fitted to.
        scaled: Users' rows, scaled, CSR [num_users, num_items].
        transposed: The same as CSR [num_items, num_users].
        neighbours: Nearest users that count.
    """

    pairs: sp.csr_matrix
    scaled: sp.csr_matrix
    transposed: sp.csr_matrix
    neighbours: int

    def scores(self, users: IntArray) -> FloatArray:
        """See :class:`graphprofile.collaborative.contract.Fitted`."""
        out = np.empty((len(users), self.pairs.shape[1]), dtype=np.float32)
        for start in range(0, len(users), ROWS_AT_ONCE):
            some = users[start : start + ROWS_AT_ONCE]
            near = strongest(self.scaled[some] @ self.transposed, self.neighbours, some)
            out[start : start + len(some)] = (near @ self.pairs).toarray()
        return out
