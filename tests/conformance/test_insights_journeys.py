"""Insights on journeys: graphs whose answers a person sees at once."""

from __future__ import annotations

from typing import Any

import pytest

from graphprofile.errors import UsageError
from graphprofile.insights import run_insight
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

from .small_graph import Event, at, fill


def ask(store: Store, name: str, **params: Any) -> list[dict[str, Any]]:
    return run_insight(store, Vocabulary(), name, **params)


def users(rows: list[dict[str, Any]]) -> list[int]:
    return [row["users"] for row in rows]


def test_funnel_takes_steps_in_order_and_in_time(store: Store) -> None:
    events: list[Event] = [
        *[
            ("through", kind, "tea", day)
            for kind, day in (("VIEWED", 1), ("ADDED_TO_CART", 2), ("PURCHASED", 3))
        ],
        # In the wrong order, and with something else in between.
        *[
            ("backwards", kind, "tea", day)
            for kind, day in (("PURCHASED", 1), ("ADDED_TO_CART", 2), ("VIEWED", 3))
        ],
        *[
            ("slow", kind, "tea", day)
            for kind, day in (("VIEWED", 1), ("ADDED_TO_CART", 2), ("PURCHASED", 60))
        ],
        ("looker", "VIEWED", "tea", 1),
        ("looker", "LIKED", "tea", 2),
        ("buyer", "PURCHASED", "tea", 5),
    ]
    fill(store, events)
    rows = ask(store, "funnel")
    assert [(row["step"], row["event"], row["users"]) for row in rows] == [
        (1, "viewed", 4),
        (2, "added_to_cart", 2),
        (3, "purchased", 1),
    ]
    assert [(row["share"], row["share_of_previous"]) for row in rows] == [(1.0, 1.0), (0.5, 0.5), (0.25, 0.5)]
    assert users(ask(store, "funnel", window_days=59)) == [4, 2, 2]
    assert users(ask(store, "funnel", window_days=59, as_of=at(59))) == [4, 2, 1]
    assert users(ask(store, "funnel", days=58)) == [1, 0, 0]
    two = ask(store, "funnel", steps="viewed,liked")
    assert [(row["event"], row["users"]) for row in two] == [("viewed", 4), ("liked", 1)]
    assert users(ask(store, "funnel", steps=["PURCHASED", "returned"])) == [4, 0]
    assert [row["share"] for row in ask(store, "funnel", steps="borrowed watched")] == [None, None]


def test_funnel_finds_the_way_that_fits_not_only_the_first(store: Store) -> None:
    events: list[Event] = [
        # The first view is too long ago, the second is not.
        *[("ada", kind, "tea", day) for kind, day in (("VIEWED", 1), ("VIEWED", 50), ("PURCHASED", 60))],
        # One view cannot be two steps.
        *[("ben", "VIEWED", "tea", 1)],
        *[("cem", "VIEWED", "tea", day) for day in (1, 1)],
    ]
    fill(store, events)
    assert users(ask(store, "funnel", steps="viewed purchased", window_days=10)) == [3, 1]
    assert users(ask(store, "funnel", steps="viewed viewed")) == [3, 1]
    # Ada's two views lie 49 days apart.
    assert users(ask(store, "funnel", steps="viewed viewed", window_days=49)) == [3, 2]


def test_steps_of_one_moment_count_in_the_order_asked_for(store: Store) -> None:
    # The order in which they were written is not one.
    fill(store, [("ada", kind, "tea", 1) for kind in ("PURCHASED", "VIEWED", "ADDED_TO_CART")])
    assert users(ask(store, "funnel")) == [1, 1, 1]


def test_wrong_steps_are_named(store: Store) -> None:
    fill(store, [("ada", "VIEWED", "tea", 1)])
    for steps, message in (
        ("viewed bougth", "Unknown event type 'bougth'"),
        ("", "is not of type event types"),
        (7, "is not of type event types"),
        ([1.5], "is not of type event types"),
        ("viewed " * 11, "takes 10 event types at most, not 11"),
    ):
        with pytest.raises(UsageError, match=message):
            ask(store, "funnel", steps=steps)


def test_what_comes_next(store: Store) -> None:
    hour = 1 / 24
    events: list[Event] = [
        ("ada", "VIEWED", "tea", 1),
        ("ada", "ADDED_TO_CART", "tea", 1 + hour),
        ("ada", "PURCHASED", "tea", 1 + 2 * hour),
        ("ben", "VIEWED", "tea", 1),
        ("ben", "VIEWED", "tea", 3),
    ]
    fill(store, events)
    found = {(row["event"], row["next"]): (row["times"], row["share"]) for row in ask(store, "next_steps")}
    assert found == {
        ("viewed", "added_to_cart"): (1, pytest.approx(1 / 3)),
        ("viewed", "nothing"): (2, pytest.approx(2 / 3)),
        ("added_to_cart", "purchased"): (1, 1.0),
        ("purchased", "nothing"): (1, 1.0),
    }
    longer = {(row["event"], row["next"]): row["times"] for row in ask(store, "next_steps", window_hours=48)}
    assert longer["viewed", "viewed"] == 1
    assert ask(store, "next_steps", limit=1)[0]["times"] == 2


def test_paths_before_a_purchase(store: Store) -> None:
    events: list[Event] = [
        *[
            ("ada", kind, "tea", day)
            for kind, day in (("LIKED", 1), ("VIEWED", 2), ("VIEWED", 3), ("ADDED_TO_CART", 4))
        ],
        ("ada", "PURCHASED", "tea", 5),
        *[("ben", kind, "tea", day) for kind, day in (("LIKED", 1), ("VIEWED", 2), ("ADDED_TO_CART", 3))],
        ("ben", "PURCHASED", "tea", 4),
        ("cem", "VIEWED", "tea", 1),
        ("cem", "PURCHASED", "tea", 20),
    ]
    fill(store, events, titles={"tea": "Tea"})
    rows = ask(store, "paths_before")
    assert rows == [
        {
            "path": ["liked", "viewed", "added_to_cart"],
            "times": 2,
            "share": pytest.approx(2 / 3),
            "users": 2,
        },
        {"path": [], "times": 1, "share": pytest.approx(1 / 3), "users": 1},
    ]
    assert ask(store, "paths_before", length=1)[0]["path"] == ["added_to_cart"]
    (_, far) = ask(store, "paths_before", window_days=19)
    assert far["path"] == ["viewed"]
    things = ask(store, "paths_before", by="object", length=2)
    assert things[0]["path"] == ["VIEWED Tea", "ADDED_TO_CART Tea"]
    # Of three purchases the latest alone: nothing came before it.
    assert [row["path"] for row in ask(store, "paths_before", goals=1)] == [[]]
    assert ask(store, "paths_before", event="borrowed") == []


def test_a_purchase_may_lead_to_the_next(store: Store) -> None:
    fill(store, [("ada", "PURCHASED", "tea", 1), ("ada", "VIEWED", "tea", 2), ("ada", "PURCHASED", "hat", 3)])
    rows = ask(store, "paths_before")
    assert sorted(row["path"] for row in rows) == [[], ["purchased", "viewed"]]
