"""Insights on content and tags: graphs whose answers a person sees at once."""

from __future__ import annotations

from typing import Any

import pytest

from graphprofile.insights import run_insight
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

from .small_graph import Event, at, fill

DRINKS = {"tea": [("genre", "Tea")], "mate": [("genre", "Mate")], "hat": [("genre", "Hats")]}
BROADER = [("genre", "Tea", "genre", "Drinks"), ("genre", "Mate", "genre", "Drinks")]


def ask(store: Store, name: str, **params: Any) -> list[dict[str, Any]]:
    return run_insight(store, Vocabulary(), name, **params)


def test_falling_tags_are_those_people_leave(store: Store) -> None:
    events: list[Event] = [(user, "VIEWED", "hat", 35) for user in ("ada", "ben", "cem")]
    events += [("ada", "VIEWED", "tea", 40)]
    events += [(user, "VIEWED", "tea", 70) for user in ("ada", "ben", "cem")]
    events += [("ada", "VIEWED", "hat", 90)]
    fill(store, events, tags=DRINKS, broader=BROADER)
    # Of four events before, three were on hats; of four now, one is.
    assert ask(store, "falling_tags") == [
        {
            "kind": "genre",
            "tag": "Hats",
            "events": 1,
            "events_before": 3,
            "users_before": 3,
            "growth": pytest.approx(((1 + 5) / (4 + 5)) / ((3 + 5) / (4 + 5))),
        }
    ]
    # What nobody touches any more falls, and rises nowhere.
    assert [row["tag"] for row in ask(store, "falling_tags", as_of=at(75), window_days=20, min_users=1)] == []
    assert [row["tag"] for row in ask(store, "falling_tags", as_of=at(69), window_days=30)] == ["Hats"]
    assert ask(store, "falling_tags", min_users=4) == []
    assert ask(store, "falling_tags", kind="colour") == []


def test_interests_that_go_together(store: Store) -> None:
    # Tea and books always, hats with nobody else's taste; everybody likes music.
    tags = {
        "t": [("taste", "Tea")],
        "b": [("taste", "Books")],
        "h": [("taste", "Hats")],
        "m": [("mood", "Music")],
    }
    events: list[Event] = [(user, "LIKED", thing, 1) for user in ("ada", "ben") for thing in ("t", "b")]
    events += [(user, "LIKED", "h", 1) for user in ("cem", "dora")]
    events += [(user, "LIKED", "m", 1) for user in ("ada", "ben", "cem", "dora")]
    events += [("cem", "DISLIKED", "t", 2)]
    fill(store, events, tags=tags)
    found = ask(store, "tags_together", kind="taste")
    assert found == [
        {
            "kind": "taste",
            "tag": "Books",
            "other_kind": "taste",
            "other_tag": "Tea",
            "users": 2,
            "support": 0.5,
            "confidence": 1.0,
            "lift": pytest.approx(2.0),
        }
    ]
    rows = ask(store, "tags_together")
    assert [(row["tag"], row["other_tag"], row["lift"]) for row in rows] == [
        ("Books", "Tea", pytest.approx(2.0)),
        ("Music", "Books", pytest.approx(1.0)),
        ("Music", "Hats", pytest.approx(1.0)),
        ("Music", "Tea", pytest.approx(1.0)),
    ]
    assert ask(store, "tags_together", min_users=3) == []
    assert len(ask(store, "tags_together", limit=2)) == 2


def test_events_divide_over_the_hierarchy(store: Store) -> None:
    events: list[Event] = [("ada", "VIEWED", "tea", day) for day in (1, 2, 3)]
    events += [("ben", "VIEWED", "mate", 4), ("ben", "VIEWED", "hat", 5), ("ben", "DISLIKED", "hat", 6)]
    fill(store, events, tags=DRINKS, broader=BROADER)
    rows = ask(store, "tag_hierarchy")
    assert [
        (row["tag"], row["part_of"], row["events"], row["share"], row["share_of_broader"]) for row in rows
    ] == [
        ("Drinks", None, 4, 0.8, None),
        ("Tea", "Drinks", 3, pytest.approx(0.6), 0.75),
        ("Hats", None, 1, 0.2, None),
        ("Mate", "Drinks", 1, 0.2, 0.25),
    ]
    assert [row["tag"] for row in ask(store, "tag_hierarchy", limit=2)] == ["Drinks", "Tea"]
    assert [row["tag"] for row in ask(store, "tag_hierarchy", days=1.5)] == ["Hats"]
    assert ask(store, "tag_hierarchy", kind="colour") == []


def test_a_thing_with_two_tags_below_one_counts_once_there(store: Store) -> None:
    both = {"blend": [("genre", "Tea"), ("genre", "Mate")]}
    fill(store, [("ada", "VIEWED", "blend", 1)], tags=both, broader=BROADER)
    assert {row["tag"]: row["events"] for row in ask(store, "tag_hierarchy")} == {
        "Drinks": 1,
        "Tea": 1,
        "Mate": 1,
    }


def test_content_that_leads_to_purchases(store: Store) -> None:
    people = [f"p{number}" for number in range(4)]
    events: list[Event] = [(person, "READ", "content:guide", 1) for person in people]
    events += [(person, "READ", "content:joke", 1) for person in people]
    events += [("p0", "READ", "content:rare", 1), ("p0", "VIEWED", "tea", 1.5)]
    # Two buy within a week of the guide. Two others read the joke long before, and bought before they read it.
    events += [("p0", "PURCHASED", "tea", 2), ("p1", "PURCHASED", "tea", 7)]
    events += [("p2", "PURCHASED", "tea", 20), ("p3", "PURCHASED", "tea", 0.5)]
    fill(store, events, titles={"content:guide": "A guide"})
    rows = ask(store, "content_before_purchase", min_users=4)
    assert [(row["id"], row["title"], row["users"], row["followed"], row["share"]) for row in rows] == [
        ("guide", "A guide", 4, 2, 0.5),
        ("joke", "joke", 4, 2, 0.5),
    ]
    # Over all three pieces five readings of nine led to a purchase.
    assert rows[0]["lift"] == pytest.approx(0.5 / (5 / 9))
    assert {
        row["id"]: row["followed"]
        for row in ask(store, "content_before_purchase", min_users=1, window_days=2)
    } == {
        "guide": 1,
        "joke": 1,
        "rare": 1,
    }
    things = ask(store, "content_before_purchase", kind="item", min_users=1)
    assert [(row["id"], row["users"], row["followed"]) for row in things] == [("tea", 1, 1)]
    assert ask(store, "content_before_purchase") == []
    assert ask(store, "content_before_purchase", goal="borrowed", min_users=4)[0]["lift"] is None


def test_demand_beyond_supply(store: Store) -> None:
    # One tea has three of four events, three hats have the fourth.
    tags = {
        "tea": [("genre", "Tea")],
        **{f"hat{n}": [("genre", "Hats")] for n in range(3)},
        "content:c": [("x", "Y")],
    }
    events: list[Event] = [("ada", "VIEWED", "tea", day) for day in (1, 2, 3)] + [
        ("ada", "VIEWED", "hat0", 4)
    ]
    fill(store, events, tags=tags)
    rows = ask(store, "demand_and_supply", min_events=1)
    assert [(row["tag"], row["things"], row["events"], row["demand"]) for row in rows] == [
        ("Tea", 1, 3, pytest.approx(3.0)),
        ("Hats", 3, 1, pytest.approx(1 / 3)),
    ]
    assert rows[1]["events_per_thing"] == pytest.approx(1 / 3)
    assert ask(store, "demand_and_supply") == []
    assert [row["tag"] for row in ask(store, "demand_and_supply", min_events=1, days=0.5)] == ["Hats"]
