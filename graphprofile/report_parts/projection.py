"""The map of the embeddings: vectors of two kinds of node brought to one plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]

# Below so many points t-SNE has no neighbourhoods to show, and a plain PCA says as much.
FEWEST_FOR_TSNE = 50
ITERATIONS = 500


@dataclass(frozen=True)
class Point:
    """One node on the map.

    Attributes:
        kind: ``user`` or ``item``.
        id: Id of the node.
        name: Name or title, or None.
        tag: Its strongest tag of the kind the map is coloured by, or None.
        x: Position, without unit.
        y: Position, without unit.
    """

    kind: Literal["user", "item"]
    id: str
    name: str | None
    tag: str | None
    x: float
    y: float


def project(users: Sequence[Sequence[float]], items: Sequence[Sequence[float]], seed: int) -> FloatArray:
    """Positions in the plane, users first.

    Users and items lie in two clouds of one space (item vectors carry a coordinate for their length and
    popularity that users don't), so each kind is centred by itself and brought to unit length. Then PCA to at
    most 32 dimensions and t-SNE (van der Maaten and Hinton, 2008; started from the PCA); few points: PCA.

    Args:
        users: Vectors [num_users, dim].
        items: Vectors [num_items, dim].
        seed: Of t-SNE.

    Returns:
        Array [num_users + num_items, 2], in -1..1.
    """
    from sklearn.decomposition import PCA

    parts = [_unit(np.asarray(part, dtype=np.float64)) for part in (users, items) if len(part)]
    vectors = np.vstack(parts)
    # Vectors that are all alike have no main direction; they are drawn in one place.
    if len(vectors) < 3 or not float(vectors.std()):
        return np.zeros((len(vectors), 2))
    components = min(32, *vectors.shape)
    reduced: FloatArray = PCA(components, random_state=seed).fit_transform(vectors)
    plane = _tsne(reduced, seed) if len(vectors) >= FEWEST_FOR_TSNE else _first_two(reduced)
    plane = plane - (plane.max(axis=0) + plane.min(axis=0)) / 2
    scaled: FloatArray = np.round(plane / max(float(np.abs(plane).max()), 1e-12), 4)
    return scaled


def _unit(vectors: FloatArray) -> FloatArray:
    centred = vectors - vectors.mean(axis=0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit: FloatArray = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    return unit


def _tsne(vectors: FloatArray, seed: int) -> FloatArray:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    model: Any = TSNE(
        2,
        perplexity=min(30, len(vectors) // 5),
        init="pca",
        max_iter=ITERATIONS,
        angle=0.7,
        random_state=seed,
    )
    # One thread: on busy cores OpenMP's threads wait for each other ten times longer than they work.
    with threadpool_limits(1):
        return np.asarray(model.fit_transform(vectors), dtype=np.float64)


def _first_two(vectors: FloatArray) -> FloatArray:
    padded = np.zeros((len(vectors), 2))
    padded[:, : min(2, vectors.shape[1])] = vectors[:, :2]
    return padded
