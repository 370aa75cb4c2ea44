"""Classic collaborative filters against what they are on paper, and where there is next to nothing to learn from."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest
import scipy.sparse as sp

from graphprofile.collaborative import METHODS, Fitted, Method, method_named
from graphprofile.collaborative.contract import Popularity, Vectors
from graphprofile.collaborative.factors import ALS, SVD
from graphprofile.collaborative.methods import choose, settings_of
from graphprofile.collaborative.neighbours import ROWS_AT_ONCE, ItemKNN, UserKNN, strongest
from graphprofile.diversity import cosines, mmr
from graphprofile.errors import UsageError

needs_implicit = pytest.mark.skipif(
    importlib.util.find_spec("implicit") is None, reason="ALS is implicit's: pip install '.[benchmark]'"
)
NAMES = [pytest.param(name, marks=needs_implicit) if name == "als" else name for name in METHODS]


def some_pairs(users: int = 40, items: int = 25, share: float = 0.2, seed: int = 0) -> sp.csr_matrix:
    rng = np.random.default_rng(seed)
    return sp.csr_matrix((rng.random((users, items)) < share).astype(np.float32))


def board() -> sp.csr_matrix:
    """Two circles of 20 users and 10 items each; everybody lacks two items of the own circle."""
    dense = np.zeros((40, 20), dtype=np.float32)
    for user in range(40):
        circle = user % 2
        mine = np.arange(circle, 20, 2)
        dense[user, np.delete(mine, [user // 2 % 10, (user // 2 + 3) % 10])] = 1
    return sp.csr_matrix(dense)


def damped(rows: np.ndarray, shrinkage: float, keep: int) -> np.ndarray:
    """Similarities of rows by their definition, the strongest of each kept, ties to the smaller place."""
    count = rows.sum(axis=1)
    similar = rows @ rows.T / np.sqrt(np.outer(count + shrinkage, count + shrinkage))
    np.fill_diagonal(similar, 0.0)
    for row in similar:
        row[np.argsort(-np.round(row, 6), kind="stable")[keep:]] = 0.0
    return similar


@pytest.mark.parametrize("keep", [3, 100])
@pytest.mark.parametrize("shrinkage", [1.0, 20.0])
def test_neighbours_are_those_of_the_definition(keep: int, shrinkage: float) -> None:
    # Many on one side: no two of the few on the other are equally near.
    pairs = some_pairs(400, 12, 0.4)
    dense = pairs.toarray().astype(float)
    by_item = ItemKNN(keep, shrinkage).fit(pairs).scores(np.arange(400))
    assert by_item == pytest.approx(dense @ damped(dense.T, shrinkage, keep).T, abs=1e-4)
    by_user = UserKNN(keep, shrinkage).fit(pairs.T.tocsr()).scores(np.arange(12))
    assert by_user == pytest.approx(damped(dense.T, shrinkage, keep) @ dense.T, abs=1e-4)


def test_blocks_of_neighbours_fit_together() -> None:
    pairs = some_pairs(30, ROWS_AT_ONCE + 30, 0.05)
    dense = pairs.toarray().astype(float)
    assert ItemKNN(10_000, 5.0).fit(pairs).scores(np.arange(30)) == pytest.approx(
        dense @ damped(dense.T, 5.0, 10_000), abs=1e-4
    )
    found = UserKNN(10_000, 5.0).fit(pairs.T.tocsr()).scores(np.array([ROWS_AT_ONCE + 5, 2]))
    assert found == pytest.approx((damped(dense.T, 5.0, 10_000) @ dense.T)[[ROWS_AT_ONCE + 5, 2]], abs=1e-4)


def test_of_equal_neighbours_the_first_are_kept() -> None:
    close = sp.csr_matrix(np.array([[9.0, 2.0, 5.0, 2.0, 2.0]]))
    kept = strongest(close, 3, np.array([0])).toarray()
    assert kept.tolist() == [[0.0, 2.0, 5.0, 2.0, 0.0]]


def test_the_closed_form_is_a_truncated_svd() -> None:
    pairs = some_pairs(share=0.4)
    dense = pairs.toarray().astype(float)
    of_users, of_items = np.sqrt(dense.sum(axis=1)), np.sqrt(dense.sum(axis=0))
    rows = np.linalg.svd(dense / of_users[:, None] / of_items)[2][:8].T
    expected = (dense / of_items) @ rows @ rows.T * of_items
    found = SVD(8).fit(pairs)
    assert found.users.shape == (40, 8)
    assert found.scores(np.arange(40)) == pytest.approx(expected, abs=0.02)
    assert SVD(500).fit(pairs).items.shape == (25, 12)


@needs_implicit
def test_als_ends_where_its_equations_hold() -> None:
    pairs = some_pairs()
    dense = pairs.toarray().astype(float)
    method = ALS(factors=4, regularization=0.5, alpha=5.0, iterations=200)
    fitted = method.fit(pairs)
    users = fitted.users.astype(float)
    # The items of the last round, each by its own weighted least squares.
    expected = [
        np.linalg.solve(
            users.T @ (np.where(column > 0, method.alpha, 1.0)[:, None] * users) + 0.5 * np.eye(4),
            method.alpha * users.T @ column,
        )
        for column in dense.T
    ]
    assert fitted.items == pytest.approx(np.array(expected), abs=0.02)
    assert (method.fit(pairs).items == fitted.items).all()


def test_als_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "implicit.als", None)
    with pytest.raises(UsageError, match="not installed") as raised:
        ALS().fit(some_pairs())
    assert "graphprofile[benchmark]" in str(raised.value.hint)


@pytest.mark.parametrize("name", NAMES)
def test_every_method_sees_the_board(name: str) -> None:
    """What the own circle has and one lacks stands before what only the other circle has."""
    pairs = board()
    for method in (SVD(2),) if name == "svd" else METHODS[name][:2]:
        assert isinstance(method, Method)
        fitted = method.fit(pairs)
        assert isinstance(fitted, Fitted)
        scores = fitted.scores(np.arange(40))
        assert scores.shape == (40, 20)
        assert scores.dtype == np.float32
        if name == "popularity":
            assert (scores == pairs.toarray().sum(axis=0)).all()
            continue
        lacking = pairs.toarray() == 0
        own = (np.arange(40)[:, None] + np.arange(20)) % 2 == 0
        assert (
            np.where(lacking & own, scores, np.inf).min(axis=1) > np.where(~own, scores, -np.inf).max(axis=1)
        ).all()
        # Of some users only, in the order asked for.
        assert fitted.scores(np.array([7, 3])) == pytest.approx(scores[[7, 3]], abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "dense",
    [
        [[1.0]],
        [[1.0, 1.0, 0.0]],
        [[1.0], [1.0], [0.0]],
        [[0.0, 0.0], [0.0, 0.0]],
        [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]],
    ],
    ids=["one pair", "one user", "one item", "nothing", "a user and an item with nothing"],
)
def test_little_to_learn_from(name: str, dense: list[list[float]]) -> None:
    pairs = sp.csr_matrix(np.array(dense, dtype=np.float32))
    ticks: list[None] = []
    scores = METHODS[name][0].fit(pairs, lambda: ticks.append(None)).scores(np.arange(pairs.shape[0]))
    assert scores.shape == pairs.shape
    assert np.isfinite(scores).all()
    assert METHODS[name][0].fit(pairs).scores(np.array([], dtype=np.int64)).shape == (0, pairs.shape[1])


def test_vectors_are_taken_as_they_are() -> None:
    given = Vectors(np.eye(3, 2, dtype=np.float32), np.ones((4, 2), dtype=np.float32))
    assert given.fit(sp.csr_matrix((3, 4), dtype=np.float32)) is given
    assert given.scores(np.array([0, 2])).tolist() == [[1.0] * 4, [0.0] * 4]
    with pytest.raises(UsageError, match="3 users and 4 items, and pairs of 4 and 3"):
        given.fit(sp.csr_matrix((4, 3), dtype=np.float32))


def test_the_settings_that_measure_best_are_chosen() -> None:
    settings = METHODS["item_knn"]
    asked: list[Method] = []

    def fit(method: Method) -> Fitted:
        asked.append(method)
        return method.fit(some_pairs())

    best, tried = choose(settings, fit, lambda _: float(len(asked) == 3))
    assert best == settings[2]
    assert [one["ndcg_at_20"] for one in tried] == [0.0, 0.0, 1.0, 0.0]
    assert tried[2] == {**settings_of(settings[2]), "ndcg_at_20": 1.0}
    assert choose(settings, fit, lambda _: 0.0)[0] == settings[0]
    assert choose([Popularity()], fit, lambda _: 0.0) == (Popularity(), [])
    # Where time runs out, the best of what was tried holds.
    assert len(choose(settings, fit, lambda _: 0.0, go_on=lambda: False)[1]) == 1
    assert choose(settings, lambda _: None, lambda _: 0.0) == (settings[0], [])


def test_unknown_methods_are_named() -> None:
    with pytest.raises(UsageError, match="There is no method 'svd2'") as raised:
        method_named("svd2")
    assert "Did you mean svd?" in str(raised.value.hint)
    with pytest.raises(UsageError) as raised:
        method_named("")
    assert raised.value.hint == f"There are: {', '.join(METHODS)}."


@pytest.mark.parametrize("diversity", [0.0, 0.3, 1.0])
def test_marginal_relevance_is_that_of_the_definition(diversity: float) -> None:
    rng = np.random.default_rng(1)
    relevance, similarity = np.sort(rng.random(12))[::-1], cosines(rng.normal(size=(12, 3)))
    scaled = (relevance - relevance.min()) / (relevance.max() - relevance.min())
    expected = [0]
    while len(expected) < 7:
        rest = [place for place in range(12) if place not in expected]
        expected.append(
            max(
                rest,
                key=lambda p: (
                    (1 - diversity) * scaled[p]
                    - diversity * max(similarity[p, chosen] for chosen in expected)
                ),
            )
        )
    assert mmr(relevance, similarity, 7, diversity) == expected
    if not diversity:
        assert expected == list(range(7))


def test_marginal_relevance_of_few() -> None:
    assert mmr(np.array([]), np.zeros((0, 0)), 3, 0.5) == []
    assert mmr(np.array([2.0]), np.ones((1, 1)), 3, 0.5) == [0]
    # All equally good: whatever is least alike. A twin comes last.
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert mmr(np.ones(4), cosines(vectors), 4, 0.5) == [0, 2, 3, 1]
    with pytest.raises(UsageError, match=r"diversity is -0\.1"):
        mmr(np.ones(4), cosines(vectors), 4, -0.1)
