"""Vectors of objects nobody has chosen yet: what their tags and properties say of the vectors of known objects.

Training learns tables of tags and properties only as far as they help with the objects that have events, and these
have rows of their own. So after training the vectors are regressed on the descriptions, which an object without events
then is given by. Source: Gantner, Drumond, Freudenthaler, Rendle and Schmidt-Thieme, "Learning attribute-to-feature
mappings for cold-start recommendations", ICDM 2010; here a ridge regression, its strength chosen on objects held out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from graphprofile.graphsage.data import DoubleArray, FloatArray

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)
_HELD_OUT = 0.2
_CHOSEN_ON = 20_000
_ITERATIONS = 60
_TOLERANCE = 1e-4


def learn_tables(
    matrices: Sequence[sp.csr_matrix], vectors: FloatArray, events: DoubleArray, seed: int
) -> tuple[list[FloatArray], FloatArray]:
    """Tables of names such that mean + the sum of matrix @ table comes near to the vectors.

    Args:
        matrices: Per kind of description CSR [num_objects, num_names].
        vectors: float32 [num_objects, width].
        events: Of each object; an object with few has an uncertain vector and weighs less, float64 [num_objects].
        seed: Of what is held out to choose the strength.

    Returns:
        Per kind float32 [num_names, width], and the mean, float32 [width].
    """
    design = sp.hstack(list(matrices), format="csr").astype(np.float64)
    described = np.flatnonzero(np.diff(design.indptr) > 0)
    weight = events[described] / (events[described] + 5.0)
    target = vectors[described].astype(np.float64)
    mean = (
        (weight @ target) / max(1e-12, float(weight.sum())) if len(described) else np.zeros(vectors.shape[1])
    )
    design, target = design[described], target - mean
    table = _ridge(design, target, weight, _strength(design, target, weight, seed))
    ends = np.cumsum([matrix.shape[1] for matrix in matrices])[:-1]
    return [part.astype(np.float32) for part in np.split(table, ends)], mean.astype(np.float32)


def _strength(design: sp.csr_matrix, target: DoubleArray, weight: DoubleArray, seed: int) -> float:
    """The strength under which objects held out are predicted best."""
    order = np.random.default_rng(seed).permutation(len(target))[:_CHOSEN_ON]
    held, kept = np.split(order, [int(_HELD_OUT * len(order))])
    if len(held) < 10:
        return STRENGTHS[-1]

    def error(strength: float) -> float:
        table = _ridge(design[kept], target[kept], weight[kept], strength)
        away = ((design[held] @ table - target[held]) ** 2).sum(axis=1)
        return float(weight[held] @ away)

    return min(STRENGTHS, key=error)


def _ridge(design: sp.csr_matrix, target: DoubleArray, weight: DoubleArray, strength: float) -> DoubleArray:
    """(X'WX + strength)^-1 X'WY by conjugate gradients, all columns at once, float64 [num_names, width]."""
    transposed = (sp.diags_array(weight) @ design).T.tocsr()
    diagonal = np.asarray(transposed.multiply(design.T).sum(axis=1)).ravel() + strength
    table = np.zeros((design.shape[1], target.shape[1]))
    residual = np.asarray(transposed @ target)
    scaled = residual / diagonal[:, None]
    direction, size = scaled.copy(), (residual * scaled).sum(axis=0)
    first = np.maximum(size, 1e-30)
    for _ in range(_ITERATIONS):
        if (size <= _TOLERANCE**2 * first).all():
            break
        product = transposed @ (design @ direction) + strength * direction
        step = size / np.maximum((direction * product).sum(axis=0), 1e-30)
        table += step * direction
        residual -= step * product
        scaled = residual / diagonal[:, None]
        before, size = size, (residual * scaled).sum(axis=0)
        direction = scaled + (size / np.maximum(before, 1e-30)) * direction
    return table
