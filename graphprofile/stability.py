"""How far two sets of counts are apart: the population stability index, its bands, and what chance alone gives.

Source of the bands: Siddiqi, "Credit Risk Scorecards", 2006; of what chance alone gives: Yurdakul and Naranjo,
"Statistical properties of the population stability index", Journal of Risk Model Validation 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

MODERATE, LARGE = 0.1, 0.25


def psi(then: Mapping[str, float], now: Mapping[str, float]) -> float:
    """Population stability index of two sets of counts: the sum of (q - p) ln(q / p) over the bins of either.

    Half an event is added to every bin of both, so that an empty bin costs what its size is worth.
    """
    bins = sorted(then.keys() | now.keys())
    if not bins:
        return 0.0
    p, q = (np.array([counts.get(name, 0.0) for name in bins]) + 0.5 for counts in (then, now))
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def by_chance(then: Mapping[str, float], now: Mapping[str, float], users: tuple[int, int]) -> float:
    """What the index exceeds in one of twenty samples of this size without any drift.

    Events of one user resemble each other, so users are counted as the independent ones: that errs on the side of
    calling a difference chance.
    """
    from scipy.special import chdtri

    bins = len(then.keys() | now.keys())
    if bins < 2:
        return 0.0
    return float(chdtri(bins - 1, 0.05) * (1.0 / max(1, users[0]) + 1.0 / max(1, users[1])))


def band(value: float) -> str:
    """``stable`` below 0.1, ``moderate`` to 0.25, ``large`` above."""
    return "stable" if value < MODERATE else "moderate" if value <= LARGE else "large"


def changes(then: Mapping[str, float], now: Mapping[str, float], most: int = 3) -> list[dict[str, Any]]:
    """The bins whose shares moved most: ``bin``, and its share ``then`` and ``now``."""
    p, q = max(1e-9, sum(then.values())), max(1e-9, sum(now.values()))
    rows = [
        {"bin": name, "then": round(then.get(name, 0.0) / p, 4), "now": round(now.get(name, 0.0) / q, 4)}
        for name in sorted(then.keys() | now.keys())
    ]
    rows.sort(key=lambda row: -abs(float(str(row["now"])) - float(str(row["then"]))))
    return [row for row in rows[:most] if row["now"] != row["then"]]
