"""Insights on communities: graphs whose answers a person sees at once."""

from __future__ import annotations

from typing import Any

import pytest

from graphprofile.errors import NotFound, UsageError
from graphprofile.insights import run_insight
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

from .small_graph import Event, fill


def ask(store: Store, name: str, **params: Any) -> list[dict[str, Any]]:
    return run_insight(store, Vocabulary(), name, **params)


def test_audiences_overlap(store: Store) -> None:
    # Three like tea, two of these and one more like coffee; dora likes hats.
    tags = {
        "t": [("drink", "Tea")],
        "c": [("drink", "Coffee")],
        "h": [("wear", "Hats")],
        "x": [("drink", "Cold")],
    }
    events: list[Event] = [(user, "LIKED", "t", 1) for user in ("ada", "ben", "cem")]
    events += [(user, "LIKED", "c", 1) for user in ("ada", "ben", "eve")] + [("dora", "LIKED", "h", 1)]
    events += [("dora", "DISLIKED", "t", 1), ("ada", "LIKED", "t", 2)]
    fill(store, events, tags=tags)
    (row,) = ask(store, "audience_overlap", tag="Tea", other_tag="drink:Coffee")
    assert row == {
        "users": 3,
        "other_users": 3,
        "both": 2,
        "either": 4,
        "share": pytest.approx(2 / 3),
        "other_share": pytest.approx(2 / 3),
        "jaccard": 0.5,
        "lift": pytest.approx(2 * 5 / 9),
    }
    (apart,) = ask(store, "audience_overlap", tag="Tea", other_tag="Hats")
    assert (apart["both"], apart["jaccard"], apart["lift"]) == (0, 0.0, 0.0)
    (keen,) = ask(store, "audience_overlap", tag="Tea", other_tag="Coffee", min_events=2)
    assert (keen["users"], keen["other_users"], keen["lift"]) == (1, 0, None)
    with pytest.raises(UsageError, match="tag and other_tag are the same"):
        ask(store, "audience_overlap", tag="Tea", other_tag="drink:Tea")
    with pytest.raises(NotFound, match="No tag 'Milk'"):
        ask(store, "audience_overlap", tag="Tea", other_tag="Milk")
    nobody = ask(store, "audience_overlap", tag="Cold", other_tag="Hats", min_events=5)
    assert [(row["either"], row["jaccard"]) for row in nobody] in ([], [(0, None)])


# Two circles in which everybody follows everybody; ada and zoe alone know each other across.
CIRCLES = (("ada", "ben", "cem"), ("zoe", "yan", "xia"))
FOLLOWS: list[Event] = [
    (user, "FOLLOWED", f"user:{other}", 1)
    for circle in CIRCLES
    for user in circle
    for other in circle
    if user != other
] + [("ada", "FOLLOWED", "user:zoe", 2), ("zoe", "FOLLOWED", "user:ada", 2)]


def test_bridges_are_who_knows_both_circles(store: Store) -> None:
    fill(store, FOLLOWS, names={"ada": "Ada"})
    rows = ask(store, "bridges")
    assert [(row["user"], row["name"], row["links"]) for row in rows] == [("ada", "Ada", 3), ("zoe", None, 3)]
    assert all(row["score"] == pytest.approx(0.6) for row in rows)
    assert len(ask(store, "bridges", limit=1)) == 1


def test_influencers_are_whom_others_follow(store: Store) -> None:
    events: list[Event] = [(user, "FOLLOWED", "user:star", 1) for user in ("ada", "ben", "cem", "dora")]
    events += [
        ("star", "FOLLOWED", "user:guru", 1),
        ("ada", "FOLLOWED", "user:ben", 2),
        ("eve", "FOLLOWED", "user:eve", 1),
    ]
    fill(store, events, names={"guru": "The guru"})
    rows = ask(store, "influencers", limit=2)
    assert [(row["user"], row["name"], row["links"]) for row in rows] == [
        ("guru", "The guru", 1),
        ("star", None, 4),
    ]
    assert sum(row["score"] for row in ask(store, "influencers")) == pytest.approx(1.0)


def test_without_follows_people_are_linked_by_what_they_deal_with(store: Store) -> None:
    events: list[Event] = [(user, "VIEWED", thing, 1) for user in ("ada", "ben") for thing in ("tea", "cup")]
    events += [(user, "VIEWED", thing, 1) for user in ("cem", "dora") for thing in ("hat", "coat")]
    events += [("mid", "VIEWED", thing, 1) for thing in ("tea", "hat")]
    fill(store, events)
    assert ask(store, "influencers") == []
    assert ask(store, "bridges") == []
    assert ask(store, "bridges", by="interests")[0]["user"] == "mid"
    assert {row["user"] for row in ask(store, "influencers", by="interests")} == {
        "ada",
        "ben",
        "cem",
        "dora",
        "mid",
    }


def test_larger_graphs_are_refused(store: Store) -> None:
    fill(store, FOLLOWS)
    for name in ("influencers", "bridges"):
        with pytest.raises(UsageError, match="14 events, more than max_events = 13"):
            ask(store, name, max_events=13)
        assert ask(store, name, max_events=14)
