"""The methods by name, each with the settings that validation chooses from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from typing import Any

from graphprofile.collaborative.contract import Fitted, Method, Popularity
from graphprofile.collaborative.factors import ALS, SVD
from graphprofile.collaborative.neighbours import ItemKNN, UserKNN
from graphprofile.errors import UsageError

VALIDATION_USERS = 4_000

METHODS: Mapping[str, tuple[Method, ...]] = {
    "popularity": (Popularity(),),
    "item_knn": tuple(ItemKNN(n, s) for s in (5.0, 50.0) for n in (50, 500)),
    "user_knn": tuple(UserKNN(n, s) for s in (5.0, 50.0) for n in (50, 500)),
    "svd": tuple(SVD(dimension) for dimension in (64, 256, 512, 128, 32, 16)),
    "als": tuple(ALS(alpha=alpha) for alpha in (1.0, 10.0, 40.0)),
}
"""Likeliest settings first."""


def method_named(name: str) -> tuple[Method, ...]:
    """A method's settings to choose from.

    Raises:
        UsageError: No such method.
    """
    if name not in METHODS:
        near = get_close_matches(name, METHODS, n=1)
        raise UsageError(
            f"There is no method {name!r}.",
            (f"Did you mean {near[0]}? " if near else "") + f"There are: {', '.join(METHODS)}.",
        )
    return METHODS[name]


def choose(
    settings: Sequence[Method],
    fit: Callable[[Method], Fitted | None],
    measure: Callable[[Fitted], float],
    go_on: Callable[[], bool] = lambda: True,
) -> tuple[Method, list[dict[str, Any]]]:
    """The settings that measure best on validation data; the first where there is nothing to choose.

    Args:
        settings: To choose from, likeliest first.
        fit: Fits to what validation may learn from; None where there was no time.
        measure: Larger is better.
        go_on: Asked before each but the first.

    Returns:
        The best, and what was tried: settings and ``ndcg_at_20`` of each.
    """
    best, value, tried = settings[0], float("-inf"), []
    if len(settings) == 1:
        return best, []
    for number, one in enumerate(settings):
        if number and not go_on():
            break
        fitted = fit(one)
        if fitted is None:
            break
        found = measure(fitted)
        tried.append({**settings_of(one), "ndcg_at_20": found})
        if found > value:
            best, value = one, found
    return best, tried


def settings_of(method: Method) -> dict[str, Any]:
    """A method's settings by name."""
    return asdict(method)  # type: ignore[call-overload,no-any-return]
