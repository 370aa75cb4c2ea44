"""Predictors of explicit ratings: means, biases, and the contract they share with the others.

Source of the biases: Koren, "Factor in the neighbors: scalable and accurate collaborative filtering", TKDD 2010.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphprofile.errors import TooLittleData, UsageError

IntArray = npt.NDArray[np.int64]
DoubleArray = npt.NDArray[np.float64]


class FittedRatings(Protocol):
    """A predictor that has learnt."""

    def predict(self, users: IntArray, items: IntArray) -> DoubleArray:
        """Ratings within the range of those learnt from.

        Args:
            users: int64 [n]; an index that was not learnt from (-1, say) stands for somebody unknown.
            items: The same for items, int64 [n].

        Returns:
            float64 [n].
        """
        ...


class RatingMethod(Protocol):
    """A predictor with its settings."""

    def fit(self, users: IntArray, items: IntArray, ratings: DoubleArray) -> FittedRatings:
        """Learn from ratings.

        Args:
            users: int64 [n].
            items: int64 [n].
            ratings: float64 [n].

        Raises:
            TooLittleData: There are none.
            UsageError: The columns differ in length, or a rating is no number.
        """
        ...


@dataclass(frozen=True)
class Scale:
    """What every predictor knows of the ratings it learnt from.

    Attributes:
        mean: Of all.
        low: The lowest.
        high: The highest.
    """

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, users: IntArray, items: IntArray, ratings: DoubleArray) -> Scale:
        """Check the columns and look at the ratings.

        Raises:
            TooLittleData: There are none.
            UsageError: The columns differ in length, or a rating is no number.
        """
        if not len(users) == len(items) == len(ratings):
            raise UsageError(
                f"{len(users)} users, {len(items)} items and {len(ratings)} ratings do not go together."
            )
        if not len(ratings):
            raise TooLittleData("there are no ratings", "Load events that hold ratings.")
        if not np.isfinite(ratings).all():
            raise UsageError("A rating is NaN or infinite.", "Leave it out.")
        return cls(float(ratings.mean()), float(ratings.min()), float(ratings.max()))

    def clip(self, values: DoubleArray) -> DoubleArray:
        """Values brought into the range."""
        return np.clip(values, self.low, self.high)


def take(table: DoubleArray, index: IntArray, otherwise: float = 0.0) -> DoubleArray:
    """Entries of a table; ``otherwise`` for an index outside of it."""
    known = (index >= 0) & (index < len(table))
    if not len(table):
        return np.full(len(index), otherwise)
    return np.where(known, table[np.where(known, index, 0)], otherwise)


def matrix(users: IntArray, items: IntArray, values: DoubleArray) -> sp.csr_matrix:
    """Values by user and item; the last of those given for one pair, float64 CSR."""
    shape = (int(users.max()) + 1, int(items.max()) + 1)
    pair = users * shape[1] + items
    _, last = np.unique(pair[::-1], return_index=True)
    keep = len(pair) - 1 - last
    return sp.csr_matrix((values[keep], (users[keep], items[keep])), shape=shape)


@dataclass(frozen=True)
class Additive:
    """mean + what the user adds + what the item adds.

    Attributes:
        scale: Of the ratings.
        of_users: float64 [num_users].
        of_items: float64 [num_items].
    """

    scale: Scale
    of_users: DoubleArray
    of_items: DoubleArray

    def raw(self, users: IntArray, items: IntArray) -> DoubleArray:
        """As ``predict``, not brought into the range."""
        return self.scale.mean + take(self.of_users, users) + take(self.of_items, items)

    def predict(self, users: IntArray, items: IntArray) -> DoubleArray:
        """See :class:`FittedRatings`."""
        return self.scale.clip(self.raw(users, items))


_NOBODY = np.zeros(0)


@dataclass(frozen=True)
class GlobalMean:
    """The mean of all ratings."""

    def fit(self, users: IntArray, items: IntArray, ratings: DoubleArray) -> Additive:
        """See :class:`RatingMethod`."""
        return Additive(Scale.of(users, items, ratings), _NOBODY, _NOBODY)


@dataclass(frozen=True)
class UserMean:
    """The mean of the user's ratings."""

    def fit(self, users: IntArray, items: IntArray, ratings: DoubleArray) -> Additive:
        """See :class:`RatingMethod`."""
        scale = Scale.of(users, items, ratings)
        return Additive(scale, _offsets(users, ratings - scale.mean, 0.0), _NOBODY)


@dataclass(frozen=True)
class ItemMean:
    """The mean of the item's ratings."""

    def fit(self, users: IntArray, items: IntArray, ratings: DoubleArray) -> Additive:
        """See :class:`RatingMethod`."""
        scale = Scale.of(users, items, ratings)
        return Additive(scale, _NOBODY, _offsets(items, ratings - scale.mean, 0.0))


@dataclass(frozen=True)
class Bias:
    """The mean, and how far users and items lie off it, each drawn towards 0 where there are few ratings.

    Attributes:
        of_users: Ratings' worth of pull on a user.
        of_items: Ratings' worth of pull on an item.
        rounds: Over both.
    """

    of_users: float = 5.0
    of_items: float = 5.0
    rounds: int = 10

    def fit(self, users: IntArray, items: IntArray, ratings: DoubleArray) -> Additive:
        """See :class:`RatingMethod`."""
        scale = Scale.of(users, items, ratings)
        rest = ratings - scale.mean
        user_bias = np.zeros(int(users.max()) + 1)
        item_bias = np.zeros(int(items.max()) + 1)
        for _ in range(self.rounds):
            item_bias = _offsets(items, rest - user_bias[users], self.of_items)
            user_bias = _offsets(users, rest - item_bias[items], self.of_users)
        return Additive(scale, user_bias, item_bias)


def _offsets(index: IntArray, values: DoubleArray, pull: float) -> DoubleArray:
    """Sum over (number + pull) of the values of each index."""
    total, count = np.bincount(index, values), np.bincount(index)
    found: DoubleArray = np.divide(total, count + pull, out=np.zeros(len(total)), where=count > 0)
    return found


def root_mean_square(errors: DoubleArray) -> float:
    """RMSE of errors."""
    return float(np.sqrt(np.mean(np.square(errors))))


def choose(
    settings: Sequence[RatingMethod],
    learn: tuple[IntArray, IntArray, DoubleArray],
    check: tuple[IntArray, IntArray, DoubleArray],
) -> tuple[RatingMethod, list[dict[str, object]]]:
    """The settings with the smallest RMSE on a validation part; the first where there is nothing to choose.

    Args:
        settings: To choose from.
        learn: Users, items and ratings to fit to.
        check: Those to predict.

    Returns:
        The best, and what was tried.
    """
    if len(settings) == 1:
        return settings[0], []
    tried = []
    for one in settings:
        found = root_mean_square(one.fit(*learn).predict(check[0], check[1]) - check[2])
        tried.append((found, one))
    best = min(tried, key=lambda pair: pair[0])[1]
    return best, [{"settings": repr(one), "rmse": value} for value, one in tried]
