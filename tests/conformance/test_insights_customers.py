"""Insights on customers: graphs whose answers a person sees at once."""

from __future__ import annotations

from typing import Any

import pytest

from graphprofile.insights import run_insight
from graphprofile.records import iso
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

from .small_graph import Event, at, fill

HOUR = 1 / 24


def ask(store: Store, name: str, **params: Any) -> list[dict[str, Any]]:
    return run_insight(store, Vocabulary(), name, **params)


def test_activity_falls_into_hours_of_the_week(store: Store) -> None:
    # Day 0 of the graphs is a Tuesday.
    events: list[Event] = [
        ("ada", "VIEWED", "tea", 0 + 9 * HOUR),
        ("ada", "RETURNED", "tea", 7 + 9.5 * HOUR),
        ("ben", "PURCHASED", "tea", 14 + 9.9 * HOUR),
        ("ben", "VIEWED", "tea", 19 + 23 * HOUR),
    ]
    fill(store, events)
    tuesday = {"weekday": 2, "hour": 9, "events": 3, "users": 2}
    sunday = {"weekday": 7, "hour": 23, "events": 1, "users": 1}
    assert ask(store, "activity_by_hour") == [tuesday, sunday]
    # Two hours to the east Sunday night is Monday morning.
    east = ask(store, "activity_by_hour", utc_offset_hours="2")
    assert [(row["weekday"], row["hour"]) for row in east] == [(1, 1), (2, 11)]
    assert ask(store, "activity_by_hour", event="purchased") == [{**tuesday, "events": 1, "users": 1}]
    assert ask(store, "activity_by_hour", days=10) == [{**tuesday, "events": 1, "users": 1}, sunday]
    assert ask(store, "activity_by_hour", as_of=at(1)) == [{**tuesday, "events": 1, "users": 1}]


def test_hours_before_1970_and_days_known_by_the_year_alone(store: Store) -> None:
    fill(store, [("ada", "VIEWED", "tea", 0)])
    # 1969-12-31T23:30Z was a Wednesday.
    old = "MATCH ()-[e:VIEWED]->() SET e.ts = -1800000"
    store.cypher(old, read_only=False)
    (row,) = ask(store, "activity_by_hour", as_of=0)
    assert (row["weekday"], row["hour"]) == (3, 23)
    store.cypher("MATCH ()-[e:VIEWED]->() SET e.ts_precision = 'year'", read_only=False)
    assert ask(store, "activity_by_hour", as_of=0) == []


def test_falling_activity_is_measured_by_ones_own_level(store: Store) -> None:
    events: list[Event] = [("ada", "VIEWED", "tea", day) for day in range(1, 89, 3)]  # ten in each month
    events += [("ada", "VIEWED", "tea", 120)]
    events += [("ben", "VIEWED", "tea", day) for day in range(1, 120, 3)]  # goes on as before
    events += [("cem", "VIEWED", "tea", 50)]  # never had a level
    events += [("dora", "VIEWED", "tea", day) for day in range(1, 90, 3)]  # gone
    fill(store, events, names={"ada": "Ada"})
    found = ask(store, "falling_activity")
    assert [(row["user"], row["events"], row["usual"], row["drop"]) for row in found] == [
        ("dora", 0, 10.0, 1.0),
        ("ada", 1, 10.0, pytest.approx(0.9)),
    ]
    assert (found[1]["name"], found[1]["last_at"]) == ("Ada", iso(at(120)))
    assert [row["user"] for row in ask(store, "falling_activity", drop=1)] == ["dora"]
    assert ask(store, "falling_activity", min_events=11) == []
    assert len(ask(store, "falling_activity", limit=1)) == 1


def test_rfm_puts_people_where_a_shopkeeper_would(store: Store) -> None:
    # Ten people in five pairs: from those who buy much and often and did so today to those long gone.
    events: list[Event] = []
    values: dict[int, float] = {}

    def buys(person: str, times: int, day: float, value: float) -> None:
        for turn in range(times):
            values[len(events)] = value
            events.append((person, "PURCHASED", "tea", day - turn))

    for pair, (times, day, value) in {
        "best": (9, 300, 90.0),
        "new": (1, 299, 5.0),
        "mid": (3, 200, 20.0),
        "risk": (6, 100, 50.0),
        "gone": (1, 20, 6.0),
    }.items():
        for number in (1, 2):
            buys(f"{pair}{number}", times, day + number / 10, value)
    fill(store, events, values=values)
    rows = {row["segment"]: row for row in ask(store, "rfm_segments")}
    assert {name: row["users"] for name, row in rows.items()} == {
        "champions": 2,
        "new": 2,
        "loyal": 2,
        "at risk": 2,
        "asleep": 2,
    }
    assert rows["champions"]["value"] == pytest.approx(2 * 9 * 90)
    assert rows["champions"]["events"] == pytest.approx(9.0)
    assert rows["champions"]["share"] == pytest.approx(0.2)
    assert rows["champions"]["recency_days"] == pytest.approx(0.05, abs=1e-6)
    assert sum(row["value_share"] for row in rows.values()) == pytest.approx(1.0)
    assert next(iter(rows)) == "champions"
    # Who bought last long ago is not seen in a short time; an event type nobody used gives no rows.
    assert {row["segment"] for row in ask(store, "rfm_segments", days=20)} <= {
        "champions",
        "loyal",
        "new",
        "asleep",
    }
    assert ask(store, "rfm_segments", event="borrowed") == []


def test_rfm_without_values_counts_events(store: Store) -> None:
    fill(store, [("ada", "BORROWED", "tea", day) for day in (1, 2, 3)] + [("ben", "BORROWED", "tea", 1)])
    rows = ask(store, "rfm_segments", event="borrowed")
    assert sum(row["value"] for row in rows) == 4
    assert sum(row["users"] for row in rows) == 2


TASTES: list[Event] = [
    *[("ada", "VIEWED", "tea", 10 + day) for day in range(3)],
    ("ada", "VIEWED", "coffee", 14),
    ("ada", "VIEWED", "tea", 110),
    *[("ada", "VIEWED", "coffee", 111 + day) for day in range(3)],
    *[("ben", "VIEWED", "coffee", 20 + day) for day in range(4)],
    *[("ben", "VIEWED", "coffee", 116 + day) for day in range(4)],
    ("ben", "DISLIKED", "tea", 115),
]


def test_interests_drift_from_one_thing_to_another(store: Store) -> None:
    fill(store, TASTES, tags={"tea": [("drink", "Tea")], "coffee": [("drink", "Coffee"), ("region", "Java")]})
    found = {(row["kind"], row["tag"]): row for row in ask(store, "interest_drift", user="ada")}
    tea, coffee = found["drink", "Tea"], found["drink", "Coffee"]
    assert (tea["events"], tea["events_before"], tea["share"], tea["share_before"]) == (1, 3, 0.25, 0.75)
    assert (tea["change"], coffee["change"]) == (pytest.approx(-0.5), pytest.approx(0.5))
    # The only region there is was all of it before and is now.
    assert found["region", "Java"]["change"] == 0
    # Ben didn't move, so everybody together moved half as far.
    changes = {row["tag"]: row["change"] for row in ask(store, "interest_drift", kind="drink")}
    assert changes == {"Tea": pytest.approx(-0.25), "Coffee": pytest.approx(0.25)}
    assert len(ask(store, "interest_drift", limit=1)) == 1
    # Nothing happened in the window before: there is nothing to compare with.
    early = ask(store, "interest_drift", as_of=at(25), window_days=20, user="ben")
    assert [(row["tag"], row["share"], row["share_before"], row["change"]) for row in early] == [
        ("Coffee", 1.0, None, None),
        ("Java", 1.0, None, None),
    ]
