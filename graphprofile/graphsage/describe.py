"""Vectors of objects nobody has chosen yet: what their tags, properties and texts say of the vectors of known objects.

Training learns tables of tags and properties only as far as they help with the objects that have events, and these
have rows of their own. So after training, vectors and popularity are regressed on which tags and properties an object
has and on the vector of its text, and an object without events is given what they foretell.

Source: Gantner, Drumond, Freudenthaler, Rendle and Schmidt-Thieme, "Learning attribute-to-feature mappings for
cold-start recommendations", ICDM 2010; here a ridge regression, its strength and the weight of texts chosen on objects
held out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from graphprofile.graphsage.data import BoolArray, DoubleArray, FloatArray, IntArray, TrainingGraph

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)
#: What a text's unit vector is multiplied by; 0 leaves texts out.
TEXT_SCALES = (0.0, 1.0, 3.0)
#: An object with as many events counts half of one whose vector is certain.
_CERTAIN = 5.0
#: Objects learnt from, those with most events, and to choose the strength: bounds memory and time.
_LEARNT_FROM, _CHOSEN_ON = 100_000, 20_000
_HELD_OUT = 0.2
_MIDDLE = STRENGTHS[len(STRENGTHS) // 2]
_ITERATIONS = 60
_ROWS_AT_ONCE = 10_000
#: Texts are taken in where the error of objects held out falls by so many standard errors; in how many parts.
_SURE, _FOLDS = 2.0, 5
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Foretold:
    """What descriptions say of objects nobody has chosen yet.

    Attributes:
        tables: Per kind of description float32 [num_names, width]; what a name adds.
        mean: What a described object has before its description is looked at, float32 [width].
        text: What the coordinates of a text's vector add, float32 [text_dimensions, width]; no row where texts were
            left out.
        encoder: What made the texts' vectors; empty where they were left out.
    """

    tables: tuple[FloatArray, ...]
    mean: FloatArray
    text: FloatArray
    encoder: str = ""

    def rows(self, matrices: Sequence[sp.csr_matrix], text: FloatArray) -> tuple[DoubleArray, BoolArray]:
        """Rows of described objects, zero for others [num_objects, width], and which are described [num_objects].

        Args:
            matrices: Per kind of description CSR [num_objects, num_names].
            text: Vectors of texts, zero where there is none, float32 [num_objects, text_dimensions]; no column where
                no object has any.
        """
        present = [_present(matrix) for matrix in matrices]
        described = np.sum([np.diff(matrix.indptr) for matrix in present], axis=0) > 0
        by_text = self.encoder and text.shape[1]
        if by_text:
            described |= text.any(axis=1)
        rows = described[:, None] * self.mean.astype(np.float64)[None, :]
        for matrix, table in zip(present, self.tables, strict=True):
            rows += matrix @ table.astype(np.float64)
        if by_text:
            table = self.text.astype(np.float64)
            for start in range(0, len(text), _ROWS_AT_ONCE):
                part = slice(start, start + _ROWS_AT_ONCE)
                # A sparse product sums each row for itself: a row is the same in any company.
                rows[part] += sp.csr_matrix(text[part]).astype(np.float64) @ table
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
    *,
    text: FloatArray | None = None,
    encoder: str = "",
) -> Foretold:
    """Regresses vectors and popularity on which names an object has, and on the vector of its text.

    Vectors are learnt from objects with events; popularity from all, so that a catalogue of which little is ever
    chosen doesn't promise much for what is new.

    Args:
        matrices: Per kind of description CSR [num_objects, num_names].
        vectors: float32 [num_objects, width].
        popularity: float32 [num_objects].
        events: Of each object, int64 [num_objects]; an object with few has an uncertain vector and weighs less.
        seed: Of what is drawn.
        text: Vectors of the objects' texts, unit or zero, float32 [num_objects, text_dimensions].
        encoder: What made them.

    Returns:
        Tables of the width of the vectors + 1; the last column is popularity.
    """
    names = sp.hstack([_present(matrix) for matrix in matrices], format="csr")
    whole = _Design(names, np.zeros((len(vectors), 0), dtype=np.float32) if text is None else text)
    described = np.flatnonzero(whole.described())
    chosen = described[events[described] > 0]
    chosen = chosen[np.argsort(-events[chosen], kind="stable")[:_LEARNT_FROM]]
    weight = events[chosen] / (events[chosen] + _CERTAIN)
    scale = _text_scale(whole[chosen], vectors[chosen], weight, seed)
    if scale == 0 and encoder:
        return learn(matrices, vectors, popularity, events, seed)
    taste = _regress(whole[chosen].scaled(scale), vectors[chosen], weight, seed)
    drawn = np.random.default_rng(seed).permutation(described)[:_LEARNT_FROM]
    rank = _regress(whole[drawn].scaled(scale), popularity[drawn, None], np.ones(len(drawn)), seed)
    mean, table = (np.concatenate(pair, axis=-1).astype(np.float32) for pair in zip(taste, rank, strict=True))
    *tables, by_text = np.split(table, np.cumsum([matrix.shape[1] for matrix in matrices]))
    return Foretold(tuple(tables), mean, (scale * by_text).astype(np.float32), encoder)


def _present(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Sign of each entry: what a name adds doesn't shrink as an object is described better."""
    out = matrix.astype(np.float64)
    out.data = np.sign(out.data)
    return out


@dataclass(frozen=True)
class _Design:
    """What is regressed on: a constant, names (sparse) and coordinates of texts (dense).

    Attributes:
        names: CSR [num_objects, num_names].
        text: float32 [num_objects, text_dimensions].
    """

    names: sp.csr_matrix
    text: FloatArray | DoubleArray

    @property
    def width(self) -> int:
        """Columns, the constant among them."""
        return 1 + int(self.names.shape[1]) + int(self.text.shape[1])

    def described(self) -> BoolArray:
        """Which objects have a name or a text, bool [num_objects]."""
        found: BoolArray = (np.diff(self.names.indptr) > 0) | self.text.any(axis=1)
        return found

    def scaled(self, scale: float) -> _Design:
        """With longer texts; without any for 0."""
        return _Design(self.names, np.float32(scale) * self.text if scale else self.text[:, :0])

    def __getitem__(self, rows: IntArray) -> _Design:
        return _Design(self.names[rows], self.text[rows])

    def __matmul__(self, table: DoubleArray) -> DoubleArray:
        end = 1 + self.names.shape[1]
        out: DoubleArray = table[0] + self.names @ table[1:end] + self.text @ table[end:]
        return out

    def back(self, weight: DoubleArray, rows: DoubleArray) -> DoubleArray:
        """Transposed and weighted: X' W rows, float64 [width, columns]."""
        weighted = weight[:, None] * rows
        return np.concatenate(
            [weighted.sum(axis=0)[None], self.names.T @ weighted, self.text.T @ weighted], axis=0
        )

    def diagonal(self, weight: DoubleArray) -> DoubleArray:
        """Of X' W X, float64 [width]."""
        out: DoubleArray = np.concatenate(
            [[weight.sum()], weight @ self.names.power(2), weight @ self.text**2]
        )
        return out


def _regress(
    design: _Design, rows: FloatArray, weight: DoubleArray, seed: int
) -> tuple[DoubleArray, DoubleArray]:
    """Constant [width] and table float64 [num_names + text_dimensions, width]; zeros where nothing can be learnt."""
    if not len(rows):
        return np.zeros(rows.shape[1]), np.zeros((design.width - 1, rows.shape[1]))
    target, mean = _centred(rows, weight)
    held, kept = _cut(len(target), seed, 1)[0]
    strength = _MIDDLE
    if len(held) >= 3:
        strength = min(STRENGTHS, key=lambda one: _errors(design, target, weight, held, kept, one).sum())
    table = _ridge(design, target, weight, strength)
    return table[0] + mean, table[1:]


def _text_scale(design: _Design, rows: FloatArray, weight: DoubleArray, seed: int) -> float:
    """The weight of texts under which objects held out are predicted best; 0 where texts do not surely help."""
    if not design.text.any():
        return 0.0
    target, _ = _centred(rows, weight)
    found: dict[float, list[DoubleArray]] = {scale: [] for scale in TEXT_SCALES}
    for held, kept in _cut(len(target), seed, _FOLDS):
        for scale in TEXT_SCALES:
            found[scale].append(_errors(design.scaled(scale), target, weight, held, kept, _MIDDLE))
    errors = {scale: np.concatenate(parts) for scale, parts in found.items()}
    best = min(TEXT_SCALES, key=lambda scale: errors[scale].sum())
    gain = errors[0.0] - errors[best]
    sure = len(gain) > 1 and gain.mean() > _SURE * gain.std(ddof=1) / np.sqrt(len(gain))
    return best if sure else 0.0


def _centred(rows: FloatArray, weight: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    target = rows.astype(np.float64)
    mean: DoubleArray = (weight @ target) / weight.sum()
    return target - mean, mean


def _cut(count: int, seed: int, folds: int) -> list[tuple[IntArray, IntArray]]:
    """Which of the objects, or of some of them, are held out and which are kept, in several ways."""
    order = np.random.default_rng(seed).permutation(count)[:_CHOSEN_ON]
    size = int(_HELD_OUT * len(order))
    held = [order[fold * size : (fold + 1) * size] for fold in range(folds)]
    return [(part, np.setdiff1d(order, part, assume_unique=True)) for part in held]


def _errors(
    design: _Design, target: DoubleArray, weight: DoubleArray, held: IntArray, kept: IntArray, strength: float
) -> DoubleArray:
    """How far a regression is off on objects it has not seen, squared and weighted, float64 [held]."""
    table = _ridge(design[kept], target[kept], weight[kept], strength)
    away: DoubleArray = weight[held] * ((design[held] @ table - target[held]) ** 2).sum(axis=1)
    return away


def _ridge(design: _Design, target: DoubleArray, weight: DoubleArray, strength: float) -> DoubleArray:
    """(X'WX + strength)^-1 X'WY by conjugate gradients, all columns at once, float64 [design.width, columns].

    The constant is not drawn to zero.
    """
    design = _Design(design.names, design.text.astype(np.float64))
    pull = np.full((design.width, 1), strength)
    pull[0] = 0.0
    diagonal = design.diagonal(weight)[:, None] + pull
    table = np.zeros((design.width, target.shape[1]))
    residual = design.back(weight, target)
    scaled = residual / diagonal
    direction, size = scaled.copy(), (residual * scaled).sum(axis=0)
    first = np.maximum(size, 1e-30)
    for _ in range(_ITERATIONS):
        if (size <= _TOLERANCE**2 * first).all():
            break
        product = design.back(weight, design @ direction) + pull * direction
        step = size / np.maximum((direction * product).sum(axis=0), 1e-30)
        table += step * direction
        residual -= step * product
        scaled = residual / diagonal
        before, size = size, (residual * scaled).sum(axis=0)
        direction = scaled + (size / np.maximum(before, 1e-30)) * direction
    return table
