"""Methods that give users and items vectors: the closed form, and alternating least squares.

Sources: Shen et al., "How powerful is graph convolution for recommendation?", CIKM 2021 (the closed form); Hu, Koren
and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008 (ALS, as ``implicit`` has it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from graphprofile.collaborative.contract import Tick, Vectors
from graphprofile.errors import UsageError


@dataclass(frozen=True)
class SVD:
    """Truncated SVD of D_u^-1/2 R D_i^-1/2; user = R D_i^-1/2 V, item = D_i^1/2 V.

    Attributes:
        dimension: Singular vectors kept; of a small matrix half of them at most.
        seed: Of the randomised SVD.
    """

    dimension: int = 64
    seed: int = 0

    def fit(self, pairs: sp.csr_matrix, tick: Tick | None = None) -> Vectors:
        """See :class:`graphprofile.collaborative.contract.Method`."""
        from sklearn.utils.extmath import randomized_svd

        of_users = np.asarray(pairs.sum(axis=1)).ravel()
        of_items = np.asarray(pairs.sum(axis=0)).ravel()
        left = sp.diags_array(1.0 / np.sqrt(np.maximum(of_users, 1.0)))
        right = sp.diags_array(1.0 / np.sqrt(np.maximum(of_items, 1.0)))
        normal = (left @ pairs @ right).tocsr().astype(np.float32)
        # All of them would only give the pairs back.
        rank = max(1, min(self.dimension, *(n // 2 for n in pairs.shape)))
        vectors = randomized_svd(normal, rank, n_iter=4, random_state=self.seed)[2].T.astype(np.float32)
        users = (pairs @ (right @ vectors)).astype(np.float32)
        items = vectors * np.sqrt(of_items)[:, None].astype(np.float32)
        return Vectors(users, items)


@dataclass(frozen=True)
class ALS:
    """Weighted matrix factorisation by alternating least squares, from the library ``implicit``.

    Attributes:
        factors: Numbers per vector.
        regularization: Of both sides.
        alpha: Weight of what was chosen against what was not.
        iterations: Rounds over both sides.
        seed: Of the first vectors.
    """

    factors: int = 64
    regularization: float = 0.05
    alpha: float = 10.0
    iterations: int = 15
    seed: int = 0

    def model(self) -> Any:
        """The library's own object, not yet fitted.

        Raises:
            UsageError: The library is not installed.
        """
        try:
            from implicit.als import AlternatingLeastSquares
        except ImportError as error:
            raise UsageError(
                "ALS needs the library `implicit`, which is not installed.",
                "pip install 'graphprofile[benchmark]'",
            ) from error
        # Its own threads and those of the linear algebra would stand in each other's way; it warns where they may.
        with threadpool_limits(1, "blas"):
            return AlternatingLeastSquares(
                factors=self.factors,
                regularization=self.regularization,
                alpha=self.alpha,
                iterations=self.iterations,
                random_state=self.seed,
            )

    def fit(self, pairs: sp.csr_matrix, tick: Tick | None = None) -> Vectors:
        """See :class:`graphprofile.collaborative.contract.Method`."""
        model = self.model()
        with threadpool_limits(1, "blas"):
            model.fit(pairs, show_progress=False, callback=(lambda *_: tick()) if tick else None)
        return Vectors(np.asarray(model.user_factors), np.asarray(model.item_factors))
