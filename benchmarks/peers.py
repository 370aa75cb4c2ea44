"""The other methods of the retrieval benchmark, each with the settings it chooses from on validation data.

A method gets the pairs of users and items it may learn from and a deadline, and gives scores of all items for users.
Sources: EASE (Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019); the closed form (Shen et al.,
"How powerful is graph convolution for recommendation?", CIKM 2021); ALS (Hu, Koren and Volinsky, "Collaborative
filtering for implicit feedback datasets", ICDM 2008) and BPR (Rendle et al., UAI 2009) as ``implicit`` has them;
LightGCN (He et al., SIGIR 2020) as PyTorch Geometric has it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from graphprofile.collaborative import METHODS as OWN
from graphprofile.collaborative.contract import Popularity, Vectors
from graphprofile.collaborative.factors import ALS, SVD
from graphprofile.collaborative.methods import settings_of
from graphprofile.collaborative.neighbours import ItemKNN, UserKNN
from graphprofile.graphsage.metrics import Scorer

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Learnt:
    """What a method has learnt.

    Attributes:
        scorer: Scores of all items for users.
        dimension: Numbers per vector; None for methods without.
        cut: Why it ended early, or "".
    """

    scorer: Scorer
    dimension: int | None = None
    cut: str = ""


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes:
        name: In the table.
        learn: Settings, pairs (CSR of ones), deadline on ``time.perf_counter``, seed -> what was learnt.
        settings: To choose from, likeliest first.
        gigabytes: Estimate of the memory it needs, from users, items and pairs; 0 for little.
        package: That must be installed.
    """

    name: str
    learn: Callable[[Settings, sp.csr_matrix, float, int], Learnt]
    settings: tuple[Settings, ...] = field(default=({},))
    gigabytes: Callable[[int, int, int], float] = lambda users, items, pairs: 0.0
    package: str | None = None


class OutOfTime(Exception):
    """The deadline has passed and nothing of use is there."""


def _dot(users: np.ndarray, items: np.ndarray) -> Scorer:
    users, items = np.ascontiguousarray(users), np.ascontiguousarray(items.T)
    return lambda rows: users[rows] @ items


def _learnt(method: Any, pairs: sp.csr_matrix, deadline: float) -> Learnt:
    """One of the package's own methods, ended by the deadline."""

    def tick() -> None:
        if time.perf_counter() > deadline:
            raise OutOfTime

    fitted = method.fit(pairs, tick)
    return Learnt(fitted.scores, fitted.items.shape[1] if isinstance(fitted, Vectors) else None)


def popularity(settings: Settings, pairs: sp.csr_matrix, deadline: float, seed: int) -> Learnt:
    """The number of users of each item."""
    return _learnt(Popularity(), pairs, deadline)


def item_to_item(settings: Settings, pairs: sp.csr_matrix, deadline: float, seed: int) -> Learnt:
    """Cosine of items' sets of users, damped, the strongest neighbours of each item kept."""
    return _learnt(ItemKNN(**settings), pairs, deadline)


def user_knn(settings: Settings, pairs: sp.csr_matrix, deadline: float, seed: int) -> Learnt:
    """Cosine of users' sets of items, damped, the strongest neighbours of each user."""
    return _learnt(UserKNN(**settings), pairs, deadline)


def ease(settings: Settings, pairs: sp.csr_matrix, deadline: float, seed: int) -> Learnt:
    """B = I - P diag(P)^-1 with P the inverse of the regularised Gram matrix."""
    from scipy.linalg import inv

    gram = (pairs.T @ pairs).toarray().astype(np.float32)
    gram[np.diag_indices_from(gram)] += settings["l2"]
    inverse = inv(gram, overwrite_a=True, check_finite=False)
    weights = inverse / -np.diag(inverse)[None, :]
    weights[np.diag_indices_from(weights)] = 0.0
    return Learnt(lambda users: np.asarray(pairs[users] @ weights))


def closed_form(settings: Settings, pairs: sp.csr_matrix, deadline: float, seed: int) -> Learnt:
    """Truncated SVD of D_u^-1/2 R D_i^-1/2; user = R D_i^-1/2 V, item = D_i^1/2 V."""
    return _learnt(SVD(seed=seed, **settings), pairs, deadline)


def als(settings: Settings, pairs: sp.csr_matrix, deadline: float, seed: int) -> Learnt:
    """``implicit``'s alternating least squares; what it has when the time is over counts."""
    return _implicit(ALS(seed=seed, **settings).model(), pairs, deadline)


def bpr(settings: Settings, pairs: sp.csr_matrix, deadline: float, seed: int) -> Learnt:
    """``implicit``'s Bayesian personalised ranking."""
    from implicit.bpr import BayesianPersonalizedRanking

    model = BayesianPersonalizedRanking(
        factors=settings["factors"],
        learning_rate=settings["learning_rate"],
        regularization=settings["regularization"],
        iterations=settings["iterations"],
        random_state=seed,
    )
    return _implicit(model, pairs, deadline)


def _implicit(model: Any, pairs: sp.csr_matrix, deadline: float) -> Learnt:
    from threadpoolctl import threadpool_limits

    class Stop(Exception):
        pass

    def watch(*_: Any) -> None:
        if time.perf_counter() > deadline:
            raise Stop

    cut = ""
    with threadpool_limits(1, "blas"):
        try:
            model.fit(pairs, show_progress=False, callback=watch)
        except Stop:
            cut = "time"
    return Learnt(_dot(model.user_factors, model.item_factors), model.item_factors.shape[1], cut)


def lightgcn(settings: Settings, pairs: sp.csr_matrix, deadline: float, seed: int) -> Learnt:
    """PyTorch Geometric's LightGCN with its own loss (BPR), full-graph propagation in every step."""
    import torch
    from torch_geometric.nn.models import LightGCN

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    users, items = pairs.shape
    entries = pairs.tocoo()
    ends = np.stack([entries.row, entries.col + users]).astype(np.int64)
    both = np.concatenate([ends, ends[::-1]], axis=1)
    adjacency = torch.sparse_coo_tensor(
        torch.from_numpy(both[::-1].copy()), torch.ones(both.shape[1]), (users + items,) * 2
    ).to_sparse_csr()
    model = LightGCN(users + items, settings["dimension"], settings["layers"])
    optimizer = torch.optim.Adam(model.parameters(), lr=settings["learning_rate"])
    cut = ""
    for _ in range(settings["epochs"]):
        order = rng.permutation(ends.shape[1])
        for batch in np.array_split(order, max(1, len(order) // settings["batch"])):
            user, positive = (torch.from_numpy(ends[side][batch]) for side in (0, 1))
            negative = torch.from_numpy(rng.integers(users, users + items, len(batch)))
            table = model.get_embedding(adjacency)
            loss = model.recommendation_loss(
                (table[user] * table[positive]).sum(-1),
                (table[user] * table[negative]).sum(-1),
                node_id=torch.cat([user, positive, negative]).unique(),
                lambda_reg=settings["l2"],
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if time.perf_counter() > deadline:
                cut = "time"
                break
        if cut:
            break
    with torch.no_grad():
        table = model.get_embedding(adjacency).numpy()
    return Learnt(_dot(table[:users], table[users:]), settings["dimension"], cut)


def _gram_gigabytes(users: int, items: int, pairs: int) -> float:
    """The Gram matrix, its inverse and the weights, in float32."""
    return 3 * 4 * items**2 / 1e9


def _own(name: str) -> tuple[Settings, ...]:
    """The settings that the package chooses from; the seed is the benchmark's."""
    settings = [settings_of(method) for method in OWN[name]]
    return tuple({key: value for key, value in one.items() if key != "seed"} for one in settings)


_BPR = {"factors": 64, "iterations": 200}
_LIGHTGCN = {"dimension": 64, "layers": 3, "batch": 16_384, "l2": 1e-4}

METHODS = (
    Method("popularity", popularity),
    Method("item_to_item", item_to_item, _own("item_knn")),
    Method("user_knn", user_knn, _own("user_knn")),
    Method("ease", ease, tuple({"l2": value} for value in (500.0, 100.0, 2500.0)), _gram_gigabytes),
    Method("svd", closed_form, _own("svd")),
    Method("als", als, _own("als"), package="implicit"),
    Method(
        "bpr",
        bpr,
        tuple(
            _BPR | {"learning_rate": a, "regularization": b}
            for a, b in ((0.05, 0.01), (0.05, 0.001), (0.01, 0.01))
        ),
        package="implicit",
    ),
    Method(
        "lightgcn",
        lightgcn,
        tuple(_LIGHTGCN | {"learning_rate": value, "epochs": 150} for value in (0.01, 0.003)),
        package="torch_geometric",
    ),
)
