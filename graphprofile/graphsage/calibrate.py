"""Popularity calibration: how much the cosine and how much recent popularity decide.

Training predicts a random or the next part of a user's own history. What is asked later is the future, where
other objects are popular than in the history. So after training the score is fitted on the validation part,
whose events come later than everything the model saw: score(u, i) = a * cos(u, i) + sum over half-lives h of
b_h * log(1 + n_h(i)), with n_h the events of the object, decayed by h. It is a conditional logit with few
parameters, all of them at least 0, drawn to declared values where the validation part says little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphprofile.graphsage.data import DoubleArray, FloatArray, IntArray
from graphprofile.graphsage.metrics import Protocol

#: Half-lives in days of the popularity columns; None counts all events alike.
HALF_LIVES_DAYS: tuple[float | None, ...] = (30.0, 90.0, 365.0, None)

#: Without validation: the cosine as trained at a usual temperature, and a mild pull of each popularity.
PRIOR_COSINE = 5.0
PRIOR_POPULARITY = 0.15

_PRIOR_STRENGTH = 0.01
_COSINE_UNIT = 10.0
_BLOCK_CELLS = 2_000_000
_MAX_CELLS = 24_000_000


@dataclass(frozen=True)
class Calibration:
    """How cosine and popularity make a score.

    Attributes:
        cosine: Factor of the cosine.
        popularity: Factor of each column of ``HALF_LIVES_DAYS``.
        log_likelihood: Mean log likelihood per validation user; None if there was nobody to validate on.
        users: Validation users.
    """

    cosine: float = PRIOR_COSINE
    popularity: tuple[float, ...] = (PRIOR_POPULARITY,) * len(HALF_LIVES_DAYS)
    log_likelihood: float | None = None
    users: int = 0


@dataclass(frozen=True)
class Evidence:
    """One validation part: protocol, cosines and popularity.

    Attributes:
        protocol: Users, targets and masks.
        cosine: Cosine of each validation user with each object, float32 [num_test_users, num_objects].
        popularity: float64 [num_objects, num_half_lives].
    """

    protocol: Protocol
    cosine: FloatArray
    popularity: DoubleArray


def max_users(num_objects: int) -> int:
    """How many validation users fit into the memory calibration may take."""
    return max(50, _MAX_CELLS // max(1, num_objects))


def calibrate(parts: list[Evidence], *, iterations: int = 40) -> Calibration:
    """Fits the calibration to one or several validation parts.

    Each user weighs the same, whatever the number of targets.

    Args:
        parts: Validation parts; parts without users are passed over.
        iterations: Bound on the optimiser's iterations.
    """
    parts = [part for part in parts if len(part.protocol.users)]
    if not parts:
        return Calibration()
    from scipy.optimize import minimize

    users = sum(len(part.protocol.users) for part in parts)
    prior = np.array([PRIOR_COSINE / _COSINE_UNIT] + [PRIOR_POPULARITY] * len(HALF_LIVES_DAYS))
    prepared = [_prepare(part) for part in parts]

    def objective(point: DoubleArray) -> tuple[float, DoubleArray]:
        likelihood, gradient = 0.0, np.zeros_like(point)
        for part in prepared:
            for block in part.blocks():
                value, slope = part.likelihood(point, block)
                likelihood += value
                gradient += slope
        away = point - prior
        # The pull weighs as much as a few users do, so a handful of users cannot throw the scores about.
        pull = _PRIOR_STRENGTH + 1.0 / users
        return (
            -likelihood / users + pull * float(away @ away),
            -gradient / users + 2.0 * pull * away,
        )

    found = minimize(
        objective,
        prior,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.01, None)] + [(0.0, None)] * len(HALF_LIVES_DAYS),
        options={"maxiter": iterations},
    )
    away = found.x - prior
    pull = _PRIOR_STRENGTH + 1.0 / users
    return Calibration(
        cosine=float(found.x[0] * _COSINE_UNIT),
        popularity=tuple(float(value) for value in found.x[1:]),
        log_likelihood=float(-(found.fun - pull * float(away @ away))),
        users=users,
    )


@dataclass(frozen=True)
class _Prepared:
    cosine: FloatArray
    popularity: DoubleArray
    blocked: list[tuple[IntArray, IntArray]]
    rows: list[slice]
    targets: list[tuple[IntArray, IntArray, DoubleArray]]

    def blocks(self) -> range:
        return range(len(self.rows))

    def likelihood(self, point: DoubleArray, block: int) -> tuple[float, DoubleArray]:
        cosine = self.cosine[self.rows[block]]
        shift = self.popularity @ point[1:]
        logits = (point[0] * _COSINE_UNIT) * cosine + shift[None, :].astype(np.float32)
        row, column, weight = self.targets[block]
        wanted = logits[row, column].astype(np.float64)
        logits[self.blocked[block]] = -np.inf
        top = logits.max(axis=1, keepdims=True)
        np.exp(logits - top, out=logits)
        total = logits.sum(axis=1, dtype=np.float64)
        logits /= total[:, None].astype(np.float32)
        log_total = np.log(total) + top[:, 0]
        value = float((weight * (wanted - log_total[row])).sum())
        expected_cosine = np.einsum("ui,ui->u", logits, cosine, dtype=np.float64)
        slope_cosine = float((weight * (cosine[row, column] - expected_cosine[row])).sum())
        per_user = np.bincount(row, weight, minlength=len(cosine))
        slope_popularity = weight @ self.popularity[column] - (per_user @ logits) @ self.popularity
        return value, np.concatenate([[slope_cosine * _COSINE_UNIT], slope_popularity])


def _prepare(part: Evidence) -> _Prepared:
    """Cuts a part to its candidates and into blocks of users."""
    protocol = part.protocol
    kept = np.flatnonzero(protocol.candidates)
    cosine = np.ascontiguousarray(part.cosine[:, kept], dtype=np.float32)
    seen = protocol.seen[protocol.users][:, kept].tocsr()
    targets = protocol.targets[:, kept].tocsr()
    size = max(1, _BLOCK_CELLS // max(1, len(kept)))
    rows = [slice(start, min(start + size, len(cosine))) for start in range(0, len(cosine), size)]
    blocked, wanted = [], []
    for block in rows:
        blocked.append(seen[block].nonzero())
        row, column = targets[block].nonzero()
        count = np.bincount(row, minlength=block.stop - block.start)
        wanted.append((row, column, 1.0 / count[row]))
    return _Prepared(cosine, part.popularity[kept], blocked, rows, wanted)
