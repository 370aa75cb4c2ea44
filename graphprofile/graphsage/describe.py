"""Vectors of objects nobody has chosen yet: what their tags and properties say of the vectors of known objects.

Training learns tables of tags and properties only as far as they help with the objects that have events, and these
have rows of their own. So after training, vectors and popularity are regressed on which tags and properties an object
has, and an object without events is given what they foretell. Source: Gantner, Drumond, Freudenthaler, Rendle and
Schmidt-Thieme, "Learning attribute-to-feature mappings for cold-start recommendations", ICDM 2010; here a ridge
regression, its strength chosen on objects held out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from graphprofile.graphsage.data import BoolArray, DoubleArray, FloatArray, IntArray, TrainingGraph

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)
#: An object with as many events counts half of one whose vector is certain.
_CERTAIN = 5.0
#: Objects learnt from, those with most events, and to choose the strength: bounds memory and time.
_LEARNT_FROM, _CHOSEN_ON = 100_000, 20_000
_HELD_OUT = 0.2
_ITERATIONS = 60
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Foretold:
    """What descriptions say of objects nobody has chosen yet.

    Attributes:
        tables: Per kind of description float32 [num_names, width]; what a name adds.
        mean: What a described object has before its names are looked at, float32 [width].
    """

    tables: tuple[FloatArray, ...]
    mean: FloatArray

    def rows(self, matrices: Sequence[sp.csr_matrix]) -> tuple[DoubleArray, BoolArray]:
        """Rows of described objects, zero for others [num_objects, width], and which are described [num_objects].

        Args:
            matrices: Per kind of description CSR [num_objects, num_names].
        """
        present = [_present(matrix) for matrix in matrices]
        described = np.sum([np.diff(matrix.indptr) for matrix in present], axis=0) > 0
        rows = described[:, None] * self.mean.astype(np.float64)[None, :]
        for matrix, table in zip(present, self.tables, strict=True):
            rows += matrix @ table.astype(np.float64)
        return rows, described


def description_matrices(
    graph: TrainingGraph, names: tuple[tuple[str, ...], ...]
) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Tags and properties as row-normalised matrices over given names; other names are passed over.

    Args:
        graph: Objects and their descriptions.
        names: Names of the columns for tags and for properties.

    Returns:
        Two CSR [num_objects, num_names] whose rows sum to 1 or are empty.
    """
    tables = (
        (graph.tag_names, graph.tag_object, graph.tag_tag, graph.tag_weight),
        (graph.feature_names, graph.feature_object, graph.feature_feature, graph.feature_weight),
    )
    out = []
    for wanted, (have, obj, name, weight) in zip(names, tables, strict=True):
        place = {text: column for column, text in enumerate(wanted)}
        column = np.array([place.get(text, -1) for text in have], dtype=np.int64)
        column = column[name] if len(name) else np.empty(0, dtype=np.int64)
        keep = (column >= 0) & (weight != 0)
        matrix = sp.csr_matrix(
            (weight[keep], (obj[keep], column[keep])),
            shape=(graph.num_objects, len(wanted)),
            dtype=np.float32,
        )
        matrix.sum_duplicates()
        total = np.asarray(abs(matrix).sum(axis=1)).ravel()
        out.append((sp.diags_array(1.0 / np.maximum(total, 1e-8)) @ matrix).tocsr().astype(np.float32))
    return out[0], out[1]


def learn(
    matrices: Sequence[sp.csr_matrix],
    vectors: FloatArray,
    popularity: FloatArray,
    events: IntArray,
    seed: int,
) -> Foretold:
    """Regresses vectors and popularity on which names an object has.

    Vectors are learnt from objects with events; popularity from all, so that a catalogue of which little is ever
    chosen doesn't promise much for what is new.

    Args:
        matrices: Per kind of description CSR [num_objects, num_names].
        vectors: float32 [num_objects, width].
        popularity: float32 [num_objects].
        events: Of each object, int64 [num_objects]; an object with few has an uncertain vector and weighs less.
        seed: Of what is drawn.

    Returns:
        Tables of the width of the vectors + 1; the last column is popularity.
    """
    design = sp.hstack([_present(matrix) for matrix in matrices], format="csr")
    described = np.flatnonzero(np.diff(design.indptr) > 0)
    chosen = described[events[described] > 0]
    chosen = chosen[np.argsort(-events[chosen], kind="stable")[:_LEARNT_FROM]]
    weight = events[chosen] / (events[chosen] + _CERTAIN)
    taste = _regress(design[chosen], vectors[chosen], weight, seed)
    drawn = np.random.default_rng(seed).permutation(described)[:_LEARNT_FROM]
    one = np.ones(len(drawn))
    rank = _regress(design[drawn], popularity[drawn, None], one, seed)
    ends = np.cumsum([matrix.shape[1] for matrix in matrices])[:-1]
    table, mean = (np.concatenate(pair, axis=-1).astype(np.float32) for pair in zip(taste, rank, strict=True))
    return Foretold(tuple(np.split(table, ends)), mean)


def _present(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Sign of each entry: what a name adds doesn't shrink as an object is described better."""
    out = matrix.astype(np.float64)
    out.data = np.sign(out.data)
    return out


def _regress(
    design: sp.csr_matrix, rows: FloatArray, weight: DoubleArray, seed: int
) -> tuple[DoubleArray, DoubleArray]:
    """Table float64 [num_names, width] and intercept [width]; zeros where there is nothing to learn from."""
    if not len(rows):
        return np.zeros((design.shape[1], rows.shape[1])), np.zeros(rows.shape[1])
    target = rows.astype(np.float64)
    mean = (weight @ target) / weight.sum()
    target -= mean
    # The last column is the intercept.
    design = sp.hstack([design, np.ones((len(rows), 1))], format="csr")
    table = _ridge(design, target, weight, _strength(design, target, weight, seed))
    return table[:-1], table[-1] + mean


def _strength(design: sp.csr_matrix, target: DoubleArray, weight: DoubleArray, seed: int) -> float:
    """The strength under which objects held out are predicted best."""
    order = np.random.default_rng(seed).permutation(len(target))[:_CHOSEN_ON]
    held, kept = np.split(order, [int(_HELD_OUT * len(order))])
    if len(held) < 3:
        return STRENGTHS[len(STRENGTHS) // 2]

    def error(strength: float) -> float:
        table = _ridge(design[kept], target[kept], weight[kept], strength)
        away = ((design[held] @ table - target[held]) ** 2).sum(axis=1)
        return float(weight[held] @ away)

    return min(STRENGTHS, key=error)


def _ridge(design: sp.csr_matrix, target: DoubleArray, weight: DoubleArray, strength: float) -> DoubleArray:
    """(X'WX + strength)^-1 X'WY by conjugate gradients, all columns at once, float64 [num_names, width].

    The last name is the intercept and is not drawn to zero.
    """
    transposed = (sp.diags_array(weight) @ design).T.tocsr()
    pull = np.full((design.shape[1], 1), strength)
    pull[-1] = 0.0
    diagonal = np.asarray(transposed.multiply(design.T).sum(axis=1)).ravel() + pull[:, 0]
    table = np.zeros((design.shape[1], target.shape[1]))
    residual = np.asarray(transposed @ target)
    scaled = residual / diagonal[:, None]
    direction, size = scaled.copy(), (residual * scaled).sum(axis=0)
    first = np.maximum(size, 1e-30)
    for _ in range(_ITERATIONS):
        if (size <= _TOLERANCE**2 * first).all():
            break
        product = transposed @ (design @ direction) + pull * direction
        step = size / np.maximum((direction * product).sum(axis=0), 1e-30)
        table += step * direction
        residual -= step * product
        scaled = residual / diagonal[:, None]
        before, size = size, (residual * scaled).sum(axis=0)
        direction = scaled + (size / np.maximum(before, 1e-30)) * direction
    return table
