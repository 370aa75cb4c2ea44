"""Predictors of ratings against what they are on paper, and where there is next to nothing to learn from."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from graphprofile.collaborative.rating_models import RATING_METHODS, BiasedMF, RatingKNN
from graphprofile.collaborative.ratings import (
    Bias,
    GlobalMean,
    ItemMean,
    RatingMethod,
    UserMean,
    choose,
    matrix,
    root_mean_square,
)
from graphprofile.errors import TooLittleData, UsageError

USERS, ITEMS = 30, 20
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def some_ratings(noise: float = 0.0, seed: int = 0) -> tuple[Rows, Rows]:
    """Two tastes on a scale of 1 to 5, and a part held back."""
    rng = np.random.default_rng(seed)
    users, items = (places.ravel() for places in np.mgrid[:USERS, :ITEMS])
    taste, kind = rng.choice([-1.0, 1.0], USERS), rng.choice([-1.0, 1.0], ITEMS)
    usual = rng.normal(0, 0.3, USERS)
    values = 3 + usual[users] + taste[users] * kind[items] + rng.normal(0, noise, len(users))
    values = np.clip(values, 1, 5)
    order = rng.permutation(len(users))
    cut = int(0.7 * len(users))
    train, test = order[:cut], order[cut:]
    return (users[train], items[train], values[train]), (users[test], items[test], values[test])


def test_means() -> None:
    (users, items, values), (asked_users, asked_items, _) = some_ratings(0.5)
    of_user, of_item = defaultdict(list), defaultdict(list)
    for user, item, value in zip(users, items, values, strict=True):
        of_user[user].append(value)
        of_item[item].append(value)
    asked = asked_users, asked_items
    assert GlobalMean().fit(users, items, values).predict(*asked) == pytest.approx(values.mean())
    assert UserMean().fit(users, items, values).predict(*asked) == pytest.approx(
        [np.mean(of_user[user]) for user in asked_users]
    )
    assert ItemMean().fit(users, items, values).predict(*asked) == pytest.approx(
        [np.mean(of_item[item]) for item in asked_items]
    )


def test_biases_are_where_their_equations_hold() -> None:
    (users, items, values), _ = some_ratings(0.5)
    fitted = Bias(2.0, 7.0, rounds=200).fit(users, items, values)
    rest = values - values.mean()
    for user in range(USERS):
        mine = users == user
        expected = (rest[mine] - fitted.of_items[items[mine]]).sum() / (mine.sum() + 2.0)
        assert fitted.of_users[user] == pytest.approx(expected)
    for item in range(ITEMS):
        its = items == item
        expected = (rest[its] - fitted.of_users[users[its]]).sum() / (its.sum() + 7.0)
        assert fitted.of_items[item] == pytest.approx(expected)


@pytest.mark.parametrize("of", ["users", "items"])
def test_neighbours_are_those_of_the_definition(of: str) -> None:
    (users, items, values), (asked_users, asked_items, _) = some_ratings(0.5)
    method = RatingKNN(of, neighbours=4, shrinkage=3.0)
    bias = method.bias.fit(users, items, values)
    rest = np.full((USERS, ITEMS), np.nan)
    rest[users, items] = values - bias.raw(users, items)
    rows = rest if of == "users" else rest.T  # rows are what is compared

    def similarity(a: int, b: int) -> float:
        common = ~np.isnan(rows[a]) & ~np.isnan(rows[b])
        x, y = rows[a, common], rows[b, common]
        if len(x) < 2:
            return 0.0
        return float(x @ y / np.sqrt((x @ x) * (y @ y)) * (len(x) - 1) / (len(x) - 1 + 3.0))

    expected = []
    for user, item in zip(asked_users, asked_items, strict=True):
        mine, other = (user, item) if of == "users" else (item, user)
        near = [
            (similarity(mine, one), rows[one, other])
            for one in range(len(rows))
            if one != mine and not np.isnan(rows[one, other])
        ]
        best = sorted([pair for pair in near if pair[0] > 0], reverse=True)[:4]
        lean = sum(s * r for s, r in best) / sum(s for s, _ in best) if best else 0.0
        expected.append(values.mean() + bias.of_users[user] + bias.of_items[item] + lean)
    found = method.fit(users, items, values).predict(asked_users, asked_items)
    assert found == pytest.approx(np.clip(expected, values.min(), values.max()))


def test_factors_are_where_their_equations_hold() -> None:
    (users, items, values), _ = some_ratings(0.5)
    method = BiasedMF(factors=3, regularization=0.1, bias_regularization=2.0)
    fitted = method.fit(users, items, values)
    # The items of the last round, each by its own ridge regression on the users' factors and a constant.
    for item in range(ITEMS):
        its = items == item
        of_users = fitted.of_users[users[its]]
        known = np.column_stack([of_users[:, :3], np.ones(its.sum())])
        pull = np.diag([0.1 * its.sum()] * 3 + [2.0])
        target = values[its] - values.mean() - of_users[:, 3]
        expected = np.linalg.solve(known.T @ known + pull, known.T @ target)
        assert fitted.of_items[item] == pytest.approx(expected, abs=1e-4)


def test_what_knows_taste_is_ahead_of_what_knows_means() -> None:
    train, (users, items, values) = some_ratings(0.1)
    off = {
        name: root_mean_square(methods[0].fit(*train).predict(users, items) - values)
        for name, methods in RATING_METHODS.items()
    }
    for name in ("user_knn", "item_knn", "svd"):
        assert off[name] < 0.6 * min(off[mean] for mean in ("global_mean", "user_mean", "item_mean", "bias"))


@pytest.mark.parametrize("method", [m[-1] for m in RATING_METHODS.values()], ids=list(RATING_METHODS))
class TestEveryPredictor:
    """What holds for each."""

    def test_a_stranger_gets_what_is_usual_for_the_item(self, method: RatingMethod) -> None:
        train, _ = some_ratings(0.5)
        fitted = method.fit(*train)
        found = fitted.predict(np.array([-1, USERS + 5, 0, -1]), np.array([0, 0, ITEMS, -7]))
        assert found[0] == pytest.approx(found[1])
        assert found[3] == pytest.approx(train[2].mean())
        assert np.isfinite(found).all()

    def test_predictions_stay_within_the_scale(self, method: RatingMethod) -> None:
        users, items = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 0])
        fitted = method.fit(users, items, np.array([5.0, 5.0, 5.0, 4.0, 1.0]))
        everything = np.mgrid[:3, :2].reshape(2, -1)
        found = fitted.predict(*everything)
        assert ((found >= 1) & (found <= 5)).all()
        assert fitted.predict(everything[0][:0], everything[1][:0]).shape == (0,)

    def test_one_rating(self, method: RatingMethod) -> None:
        fitted = method.fit(np.array([3]), np.array([2]), np.array([4.0]))
        assert fitted.predict(np.array([3, 0, 9]), np.array([2, 0, 9])) == pytest.approx([4.0] * 3)

    def test_all_ratings_alike(self, method: RatingMethod) -> None:
        train, (users, items, _) = some_ratings()
        fitted = method.fit(train[0], train[1], np.full(len(train[0]), 2.0))
        assert fitted.predict(users, items) == pytest.approx(2.0)

    def test_wrong_input_is_named(self, method: RatingMethod) -> None:
        none = np.array([], dtype=np.int64)
        with pytest.raises(TooLittleData, match="no ratings"):
            method.fit(none, none, np.array([]))
        one = np.array([0])
        with pytest.raises(UsageError, match="NaN"):
            method.fit(one, one, np.array([np.nan]))
        with pytest.raises(UsageError, match="1 users, 1 items and 2 ratings"):
            method.fit(one, one, np.array([1.0, 2.0]))


def test_of_two_ratings_of_one_thing_the_last_counts() -> None:
    table = matrix(np.array([0, 1, 0]), np.array([1, 0, 1]), np.array([2.0, 3.0, 5.0]))
    assert table.toarray().tolist() == [[0.0, 5.0], [3.0, 0.0]]


def test_the_settings_with_the_smallest_error_are_chosen() -> None:
    train, check = some_ratings(0.2)
    settings = (GlobalMean(), BiasedMF(4, 0.05), UserMean())
    best, tried = choose(settings, train, check)
    assert best == settings[1]
    assert [row["settings"] for row in tried] == [repr(one) for one in settings]
    assert choose(settings[:1], train, check) == (settings[0], [])
