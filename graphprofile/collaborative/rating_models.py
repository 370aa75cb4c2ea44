"""Predictors of explicit ratings that learn of likeness: neighbours on what the biases leave, and factors.

Sources: Koren, "Factor in the neighbors: scalable and accurate collaborative filtering", TKDD 2010 (similarity on
residuals, shrunk); Zhou et al., "Large-scale parallel collaborative filtering for the Netflix prize", AAIM 2008 (least
squares in turn, regularised by the number of ratings), here with biases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from graphprofile.collaborative.neighbours import strongest
from graphprofile.collaborative.ratings import (
    Additive,
    Bias,
    DoubleArray,
    GlobalMean,
    IntArray,
    ItemMean,
    RatingMethod,
    Scale,
    UserMean,
    matrix,
    take,
)

MOST_KEPT = 1_000


@dataclass(frozen=True)
class RatingKNN:
    """The bias, and the mean of what the nearest ones' ratings lie off theirs.

    Attributes:
        of: ``items`` (items that the user rated) or ``users`` (people who rated the item).
        neighbours: Nearest ones that count, of those that rated or were rated.
        shrinkage: Common ratings at which a similarity counts half.
        bias: What is subtracted first.
    """

    of: str = "items"
    neighbours: int = 40
    shrinkage: float = 100.0
    bias: Bias = field(default_factory=Bias)

    def fit(self, users: IntArray, items: IntArray, ratings: DoubleArray) -> FittedRatingKNN:
        """See :class:`graphprofile.collaborative.ratings.RatingMethod`."""
        bias = self.bias.fit(users, items, ratings)
        rest = ratings - bias.raw(users, items)
        rows, columns = (users, items) if self.of == "items" else (items, users)
        left = matrix(rows, columns, rest)
        return FittedRatingKNN(bias, self.of, self.neighbours, left, similarities(left, self.shrinkage))


def similarities(left: sp.csr_matrix, shrinkage: float) -> sp.csr_matrix:
    """Positive correlations of the columns over the rows they share, shrunk, the largest of each column kept.

    Args:
        left: What the biases leave, with an entry where there is a rating, float64 CSR [n, m].
        shrinkage: See :class:`RatingKNN`.

    Returns:
        CSR [m, m]; row j has the neighbours of column j.
    """
    there = left.copy()
    there.data = np.ones_like(there.data)
    squares = left.multiply(left).tocsr()
    blocks = []
    for part in _blocks(left.shape[1], left.shape[1]):
        product = (left[:, part].T @ left).toarray()
        common = (there[:, part].T @ there).toarray()
        mine = (squares[:, part].T @ there).toarray()
        theirs = (there[:, part].T @ squares).toarray()
        length = np.sqrt(mine * theirs)
        close = np.divide(product, length, out=np.zeros_like(product), where=length > 0)
        close *= np.maximum(common - 1.0, 0.0) / (np.maximum(common - 1.0, 0.0) + shrinkage)
        blocks.append(strongest(sp.csr_matrix(close), MOST_KEPT, np.arange(part.start, part.stop)))
    return sp.vstack(blocks).tocsr()


@dataclass(frozen=True)
class FittedRatingKNN:
    """Biases, similarities, and what they are taken of.

    Attributes:
        bias: What is added.
        of: As for :class:`RatingKNN`.
        neighbours: As for :class:`RatingKNN`.
        left: CSR: rows are users and columns items, or the other way round with ``of`` users.
        similar: CSR of the columns.
    """

    bias: Additive
    of: str
    neighbours: int
    left: sp.csr_matrix
    similar: sp.csr_matrix

    def predict(self, users: IntArray, items: IntArray) -> DoubleArray:
        """See :class:`graphprofile.collaborative.ratings.FittedRatings`."""
        out = self.bias.raw(users, items)
        rows, columns = (users, items) if self.of == "items" else (items, users)
        usable = (rows >= 0) & (rows < self.left.shape[0]) & (columns >= 0) & (columns < self.left.shape[1])
        places = np.flatnonzero(usable)
        places = places[np.argsort(rows[places], kind="stable")]
        starts = np.flatnonzero(np.diff(rows[places], prepend=-1))
        for group in np.split(places, starts[1:]) if len(places) else ():
            row = rows[group[0]]
            entries = slice(self.left.indptr[row], self.left.indptr[row + 1])
            rated, rest = self.left.indices[entries], self.left.data[entries]
            near = self.similar[columns[group]][:, rated].toarray()
            if near.shape[1] > self.neighbours:
                border = np.partition(near, -self.neighbours, axis=1)[:, -self.neighbours]
                near[near < border[:, None]] = 0.0
            total = near.sum(axis=1)
            out[group] += np.divide(near @ rest, total, out=np.zeros(len(group)), where=total > 0)
        return self.bias.scale.clip(out)


@dataclass(frozen=True)
class BiasedMF:
    """mean + bias of the user + bias of the item + p . q, by least squares for users and items in turn.

    Attributes:
        factors: Numbers in p and q.
        regularization: Of p and q, times the number of ratings.
        bias_regularization: Ratings' worth of pull on a bias.
        rounds: Over both sides.
        seed: Of the first q.
    """

    factors: int = 16
    regularization: float = 0.12
    bias_regularization: float = 5.0
    rounds: int = 15
    seed: int = 0

    def fit(self, users: IntArray, items: IntArray, ratings: DoubleArray) -> FittedMF:
        """See :class:`graphprofile.collaborative.ratings.RatingMethod`."""
        scale = Scale.of(users, items, ratings)
        first = Bias(self.bias_regularization, self.bias_regularization).fit(users, items, ratings)
        by_user = matrix(users, items, ratings - scale.mean)
        by_item = by_user.T.tocsr()
        rng = np.random.default_rng(self.seed)
        of_items = np.column_stack([rng.normal(0, 0.1, (by_user.shape[1], self.factors)), first.of_items])
        of_users = np.zeros((by_user.shape[0], self.factors + 1))
        for _ in range(self.rounds):
            of_users = self._solve(by_user, of_items)
            of_items = self._solve(by_item, of_users)
        return FittedMF(scale, of_users, of_items)

    def _solve(self, ratings: sp.csr_matrix, others: DoubleArray) -> DoubleArray:
        """Factors and bias of each row, the other side's held fixed, float64 [num_rows, factors + 1]."""
        width = self.factors + 1
        known = np.column_stack([others[:, : self.factors], np.ones(len(others))])
        upper = np.triu_indices(width)
        # A row's normal matrix is a sum over its ratings: one sparse product makes a block of them.
        products = (known[:, upper[0]] * known[:, upper[1]]).astype(np.float32)
        target = ratings.copy()
        target.data = target.data - others[ratings.indices, self.factors]
        there = ratings.copy()
        there.data = np.ones(len(there.data), dtype=np.float32)
        right = target @ known
        count = np.diff(ratings.indptr)
        out = np.zeros((ratings.shape[0], width))
        for part in _blocks(ratings.shape[0], products.shape[1]):
            left = np.zeros((part.stop - part.start, width, width))
            left[:, upper[0], upper[1]] = there[part] @ products
            left[:, upper[1], upper[0]] = left[:, upper[0], upper[1]]
            pull = np.maximum(count[part], 1)[:, None] * self.regularization * np.ones(width)
            pull[:, self.factors] = self.bias_regularization
            left[:, np.arange(width), np.arange(width)] += pull
            out[part] = np.linalg.solve(left, right[part][:, :, None])[:, :, 0]
        return out


def _blocks(rows: int, width: int) -> Iterator[slice]:
    """Slices such that a block of so wide rows stays below 32 MB."""
    size = max(1, 4_000_000 // width)
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


@dataclass(frozen=True)
class FittedMF:
    """Factors of users and items, the bias in the last column.

    Attributes:
        scale: Of the ratings.
        of_users: float64 [num_users, factors + 1].
        of_items: float64 [num_items, factors + 1].
    """

    scale: Scale
    of_users: DoubleArray
    of_items: DoubleArray

    def predict(self, users: IntArray, items: IntArray) -> DoubleArray:
        """See :class:`graphprofile.collaborative.ratings.FittedRatings`."""
        out = self.scale.mean + take(self.of_users[:, -1], users) + take(self.of_items[:, -1], items)
        known = (users >= 0) & (users < len(self.of_users)) & (items >= 0) & (items < len(self.of_items))
        p, q = self.of_users[users[known], :-1], self.of_items[items[known], :-1]
        out[known] += np.einsum("nf,nf->n", p, q)
        return self.scale.clip(out)


RATING_METHODS: Mapping[str, tuple[RatingMethod, ...]] = {
    "global_mean": (GlobalMean(),),
    "user_mean": (UserMean(),),
    "item_mean": (ItemMean(),),
    "bias": tuple(Bias(u, i) for u in (2.0, 5.0, 10.0) for i in (2.0, 5.0, 10.0)),
    "user_knn": tuple(RatingKNN("users", n, s) for n in (40, 80) for s in (30.0, 100.0)),
    "item_knn": tuple(RatingKNN("items", n, s) for n in (20, 40) for s in (30.0, 100.0)),
    "svd": tuple(BiasedMF(f, r) for f in (8, 16, 32) for r in (0.08, 0.12, 0.16)),
}
"""Likeliest settings first where there is nothing to choose on."""
