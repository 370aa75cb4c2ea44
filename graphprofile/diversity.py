"""A list that says less of the same: maximal marginal relevance.

Source: Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing
summaries", SIGIR 1998.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from graphprofile.errors import UsageError

LEAST_CANDIDATES = 100
CANDIDATES_PER_PLACE = 5


def check_diversity(diversity: float) -> float:
    """The same number.

    Raises:
        UsageError: It does not lie between 0 and 1.
    """
    if not 0 <= diversity <= 1:
        raise UsageError(f"The diversity is {diversity:g}.", "Take 0 (the best ones) to 1 (the least alike).")
    return diversity


def pool_size(k: int, diversity: float) -> int:
    """How many of the best to choose ``k`` from."""
    return k if diversity == 0 else max(LEAST_CANDIDATES, CANDIDATES_PER_PLACE * k)


def mmr(
    relevance: npt.NDArray[np.float64], similarity: npt.NDArray[np.float64], k: int, diversity: float
) -> list[int]:
    """Places of ``k`` candidates: each the best of (1 - d) * relevance - d * its nearness to one chosen before.

    Relevance is brought to 0..1 over the candidates, so that it and a cosine weigh alike whatever the method's scores
    are. The first is the most relevant, ties go to the earlier candidate, and without diversity the order is that of
    the relevance.

    Args:
        relevance: float64 [n].
        similarity: Cosines between the candidates, float64 [n, n].
        k: How many.
        diversity: d, 0 to 1.

    Raises:
        UsageError: The diversity does not lie between 0 and 1.
    """
    check_diversity(diversity)
    n = len(relevance)
    if n == 0:
        return []
    low, high = float(relevance.min()), float(relevance.max())
    scaled = (relevance - low) / (high - low) if high > low else np.zeros(n)
    chosen = [int(np.argmax(scaled))]
    nearest = similarity[chosen[0]].astype(np.float64)
    while len(chosen) < min(k, n):
        gain = (1.0 - diversity) * scaled - diversity * nearest
        gain[chosen] = -np.inf
        chosen.append(int(np.argmax(gain)))
        nearest = np.maximum(nearest, similarity[chosen[-1]])
    return chosen


def cosines(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Cosines between all rows, 0 where a row is zero, float64 [n, n]."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros(vectors.shape), where=length > 0)
    found: npt.NDArray[np.float64] = unit @ unit.T
    return found
