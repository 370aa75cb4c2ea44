"""Insights on items: graphs whose answers a person sees at once."""

from __future__ import annotations

from typing import Any

import pytest

from graphprofile.insights import run_insight
from graphprofile.store import Store
from graphprofile.vocabulary import DEFAULT_EVENTS, Vocabulary

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


def test_what_people_say_and_do(store: Store) -> None:
    # Everybody buys the game and gives it one star; ada alone is of two minds about tea; the hat is praised and bought.
    people = ("ada", "ben", "cem")
    events: list[Event] = [(who, "PURCHASED", "game", day) for who in people for day in (0, 1, 2)]
    events += [(who, "RATED", "game", 3) for who in people]
    events += [(who, what, "hat", 4) for who in people for what in ("LIKED", "PURCHASED")]
    events += [(who, "VIEWED", "tea", 5) for who in people]
    events += [("ada", "DISLIKED", "tea", 6), ("ben", "LIKED", "tea", 6), ("dora", "DISLIKED", "tea", 6)]
    events += [("dora", "VIEWED", "game", 6), ("dora", "LIKED", "content:essay", 6)]
    tags = {"game": [("genre", "Play")], "tea": [("genre", "Leaf")], "hat": [("genre", "Play")]}
    fill(store, events, titles={"game": "A game"}, tags=tags, values={9: 1, 10: 1, 11: 1})
    # One star is two below neutral: -2 of 3. Three purchases of weight 4: 12 of 13.
    game = {
        "id": "game",
        "kind": "item",
        "title": "A game",
        "people": 3,
        "apart": 3,
        "says": pytest.approx(-2 / 3),
        "does": pytest.approx(12 / 13),
        "disagreement": pytest.approx((2 / 3 * 12 / 13) ** 0.5),
    }
    assert ask(store, "says_and_does", min_users=3) == [game, {**_praised("hat", "hat"), "people": 3}]
    # ada dislikes what she looks at, ben likes it; dora has only said it, cem only looked.
    tea = ask(store, "says_and_does", min_users=2)[1]
    assert (tea["id"], tea["people"], tea["apart"], tea["says"]) == ("tea", 2, 1, pytest.approx(0))
    assert tea["disagreement"] == pytest.approx((2 / 3 / 2) ** 0.5 / 2)
    assert ask(store, "says_and_does") == []
    # Of a tag all its things count together: one star and a like, four purchases.
    leaf, play = ask(store, "says_and_does", by="tag", min_users=2)
    assert (leaf["id"], leaf["kind"], leaf["title"], leaf["people"]) == ("genre:Leaf", "tag", "Leaf", 2)
    assert (play["id"], play["says"], play["does"]) == ("genre:Play", 0, pytest.approx(16 / 17))
    # Before the stars there was nothing to disagree with.
    assert ask(store, "says_and_does", min_users=1, as_of=at(2)) == []
    assert [row["id"] for row in ask(store, "says_and_does", min_users=1, days=1.5)] == ["tea"]
    quiet = {**DEFAULT_EVENTS, "rated": DEFAULT_EVENTS["rated"].model_copy(update={"feedback": "implicit"})}
    found = run_insight(store, Vocabulary(events=quiet), "says_and_does", min_users=3)
    assert [row["id"] for row in found] == ["hat"]


def _praised(id_: str, title: str) -> dict[str, Any]:
    return {
        "id": id_,
        "kind": "item",
        "title": title,
        "apart": 0,
        "says": pytest.approx(2 / 3),
        "does": pytest.approx(4 / 5),
        "disagreement": 0,
    }


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
