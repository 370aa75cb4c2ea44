"""Insights on items: graphs whose answers a person sees at once."""

from __future__ import annotations

from typing import Any

import pytest

from graphprofile.insights import run_insight
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

from .small_graph import Event, at, fill


def ask(store: Store, name: str, **params: Any) -> list[dict[str, Any]]:
    return run_insight(store, Vocabulary(), name, **params)


def test_things_bought_together(store: Store) -> None:
    # Cup and saucer always go together; tea goes to everybody; the hat goes its own way.
    events: list[Event] = [(user, "PURCHASED", "tea", 1) for user in ("ada", "ben", "cem", "dora")]
    events += [(user, "PURCHASED", thing, 2) for user in ("ada", "ben") for thing in ("cup", "saucer")]
    events += [("ada", "PURCHASED", "cup", 3), ("cem", "PURCHASED", "hat", 3), ("dora", "RETURNED", "hat", 4)]
    fill(store, events, titles={"cup": "A cup"})
    assert ask(store, "bought_together") == [
        {
            "id": "cup",
            "title": "A cup",
            "other": "saucer",
            "other_title": "saucer",
            "users": 2,
            "support": 0.5,
            "confidence": 1.0,
            "lift": pytest.approx(2.0),
        },
        {
            "id": "tea",
            "title": "tea",
            "other": "cup",
            "other_title": "A cup",
            "users": 2,
            "support": 0.5,
            "confidence": 1.0,
            "lift": pytest.approx(1.0),
        },
        {
            "id": "tea",
            "title": "tea",
            "other": "saucer",
            "other_title": "saucer",
            "users": 2,
            "support": 0.5,
            "confidence": 1.0,
            "lift": pytest.approx(1.0),
        },
    ]
    # The two commonest alone; everything; nothing.
    assert [(row["id"], row["other"]) for row in ask(store, "bought_together", items=2)] == [("tea", "cup")]
    everything = {(row["id"], row["other"]) for row in ask(store, "bought_together", min_users=1)}
    assert everything == {("cup", "saucer"), ("tea", "cup"), ("tea", "saucer"), ("tea", "hat")}
    assert ask(store, "bought_together", event="viewed") == []
    # The second cup lies in the last day, nothing else of ada's does.
    assert ask(store, "bought_together", days=0.5, min_users=1) == []


def test_what_is_seen_and_bought(store: Store) -> None:
    people = [f"p{number}" for number in range(10)]
    events: list[Event] = [(person, "VIEWED", thing, 1) for person in people for thing in ("tea", "hat")]
    events += [(person, "PURCHASED", "tea", 2) for person in people[:8]]
    events += [(people[0], "PURCHASED", "tea", 3), (people[0], "PURCHASED", "hat", 2)]
    # Bought before it was seen, and bought without having been seen: neither converts.
    events += [(people[1], "PURCHASED", "hat", 0), ("zoe", "PURCHASED", "hat", 2)]
    events += [(person, "VIEWED", "rare", 1) for person in people[:3]]
    events += [(people[0], "RETURNED", "tea", 5)]
    fill(store, events, titles={"hat": "A hat"})
    best = ask(store, "item_conversion")
    assert best == [
        {"id": "tea", "kind": "item", "title": "tea", "users": 10, "converted": 8, "rate": 0.8},
        {"id": "hat", "kind": "item", "title": "A hat", "users": 10, "converted": 1, "rate": 0.1},
    ]
    assert ask(store, "item_conversion", order="worst") == best[::-1]
    assert ask(store, "item_conversion", order="worst", limit=1) == best[1:]
    assert [row["id"] for row in ask(store, "item_conversion", min_users=3)] == ["tea", "hat", "rare"]
    back = ask(store, "item_conversion", event="purchased", goal="returned", min_users=1)
    assert [(row["id"], row["rate"]) for row in back] == [("tea", 0.125), ("hat", 0.0)]


def test_life_of_a_thing(store: Store) -> None:
    # Old: four events in its first month, two in its second, none in the third. Young: two, and then it is not known.
    events: list[Event] = [("ada", "VIEWED", "old", day) for day in (0, 5, 6, 29, 31, 59)]
    events += [("ben", "VIEWED", "young", day) for day in (60, 70)]
    events += [("ada", "DISLIKED", "old", 65), ("cem", "VIEWED", "newest", 95)]
    fill(store, events)
    columns = ("age_days", "items", "events", "events_per_item", "share")
    assert [tuple(row[c] for c in columns) for row in ask(store, "item_life_cycle", item="old")] == [
        (0.0, 1, 4, 4.0, pytest.approx(4 / 6)),
        (30.0, 1, 2, 2.0, pytest.approx(2 / 6)),
        (60.0, 1, 0, 0.0, 0.0),
    ]
    # Of all: in the first month old and young count, in the later ones the old one alone.
    rows = ask(store, "item_life_cycle")
    assert [(row["items"], row["events"]) for row in rows] == [(2, 6), (1, 2), (1, 0)]
    assert sum(row["share"] for row in rows) == pytest.approx(1.0)
    assert [row["age_days"] for row in ask(store, "item_life_cycle", limit=2)] == [0.0, 30.0]
    assert ask(store, "item_life_cycle", item="newest") == []
    assert ask(store, "item_life_cycle", as_of=at(20)) == []
    assert ask(store, "item_life_cycle", event="purchased") == []


def test_what_people_come_back_for(store: Store) -> None:
    people = [f"p{number}" for number in range(4)]
    events: list[Event] = [(person, "WATCHED", thing, 1) for person in people for thing in ("song", "film")]
    events += [(person, "WATCHED", "song", day) for person in people[:3] for day in (2, 3)]
    events += [(people[3], "WATCHED", "film", 1.5), (people[0], "DISLIKED", "film", 4)]
    fill(store, events)
    found = ask(store, "repeat_items", min_users=4)
    assert [(row["id"], row["users"], row["came_back"], row["rate"]) for row in found] == [
        ("song", 4, 3, 0.75),
        ("film", 4, 0, 0.0),
    ]
    assert found[0]["days_each"] == pytest.approx(10 / 4)
    assert ask(store, "repeat_items") == []
    assert ask(store, "repeat_items", min_users=1, event="viewed") == []
