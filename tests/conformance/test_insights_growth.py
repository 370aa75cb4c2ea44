"""Insights on growth: graphs whose answers a person sees at once."""

from __future__ import annotations

from typing import Any

import pytest

from graphprofile.insights import run_insight
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

from .small_graph import Event, at, fill

# Day 0 of the graphs is Tuesday 14 November 2023: weeks begin on days 6, 13, 20, months on days 17, 48, 79.
COMING_AND_GOING: list[Event] = [
    ("stays", "VIEWED", "tea", 1),
    ("stays", "VIEWED", "tea", 7),
    ("stays", "RETURNED", "tea", 14),
    ("leaves", "VIEWED", "tea", 1),
    ("back", "VIEWED", "tea", 2),
    ("back", "VIEWED", "tea", 15),
    ("back", "VIEWED", "tea", 15.5),
    ("new", "VIEWED", "tea", 16),
]


def ask(store: Store, name: str, **params: Any) -> list[dict[str, Any]]:
    return run_insight(store, Vocabulary(), name, **params)


def test_new_people_and_those_who_return(store: Store) -> None:
    fill(store, COMING_AND_GOING)
    columns = ("period_at", "active", "new", "retained", "returned", "lost")
    assert [tuple(row[c] for c in columns) for row in ask(store, "new_and_returning")] == [
        ("2023-11-13T00:00:00Z", 3, 3, 0, 0, 0),
        ("2023-11-20T00:00:00Z", 1, 0, 1, 0, 2),
        ("2023-11-27T00:00:00Z", 3, 1, 1, 1, 0),
    ]
    months = ask(store, "new_and_returning", period="month", as_of="2023-12-20")
    assert [tuple(row[c] for c in columns) for row in months] == [
        ("2023-11-01T00:00:00Z", 4, 4, 0, 0, 0),
        ("2023-12-01T00:00:00Z", 0, 0, 0, 0, 4),
    ]
    # Only the last period is shown, and who is new is still known.
    (last,) = ask(store, "new_and_returning", periods=1)
    assert (last["active"], last["new"], last["retained"], last["returned"], last["lost"]) == (3, 1, 1, 1, 0)
    days = ask(store, "new_and_returning", period="day", as_of=at(2))
    assert [(row["period_at"][:10], row["active"], row["lost"]) for row in days] == [
        ("2023-11-15", 2, 0),
        ("2023-11-16", 1, 2),
    ]


def test_periods_before_1970(store: Store) -> None:
    # 1899-12-31 was a Sunday.
    fill(store, [("ada", "BORROWED", "tea", 0)])
    store.cypher("MATCH ()-[e:BORROWED]->() SET e.ts = -2208992400000", read_only=False)
    for period, begin in (("day", "1899-12-31"), ("week", "1899-12-25"), ("month", "1899-12-01")):
        (row,) = ask(store, "new_and_returning", period=period, as_of="1899-12-31T23:59:59Z")
        assert row["period_at"][:10] == begin
        (row,) = ask(store, "cohort_retention", period=period, as_of="1899-12-31T23:59:59Z")
        assert row["cohort_at"][:10] == begin


def test_cohorts_stay_or_don_t(store: Store) -> None:
    fill(store, COMING_AND_GOING)
    rows = ask(store, "cohort_retention", period="week")
    columns = ("cohort_at", "age", "size", "users", "share")
    assert [tuple(row[c] for c in columns) for row in rows] == [
        ("2023-11-13T00:00:00Z", 0, 3, 3, 1.0),
        ("2023-11-13T00:00:00Z", 1, 3, 1, pytest.approx(1 / 3)),
        ("2023-11-13T00:00:00Z", 2, 3, 2, pytest.approx(2 / 3)),
        ("2023-11-27T00:00:00Z", 0, 1, 1, 1.0),
    ]
    assert [row["size"] for row in ask(store, "cohort_retention", period="week", periods=2)] == [1]
    assert [row["size"] for row in ask(store, "cohort_retention")] == [4]
    early = ask(store, "cohort_retention", period="week", as_of=at(8))
    assert [(row["age"], row["users"]) for row in early] == [(0, 3), (1, 1)]


def test_months_over_a_new_year(store: Store) -> None:
    fill(store, [("ada", "VIEWED", "tea", 20), ("ada", "VIEWED", "tea", 50), ("ada", "VIEWED", "tea", 80)])
    rows = ask(store, "cohort_retention")
    assert [(row["cohort_at"][:7], row["age"]) for row in rows] == [
        ("2023-12", 0),
        ("2023-12", 1),
        ("2023-12", 2),
    ]
    assert [row["period_at"][:7] for row in ask(store, "new_and_returning", period="month")] == [
        "2023-12",
        "2024-01",
        "2024-02",
    ]


def test_value_by_month(store: Store) -> None:
    events: list[Event] = [
        ("ada", "PURCHASED", "tea", 1),
        ("ada", "PURCHASED", "cup", 2),
        ("ben", "PURCHASED", "tea", 3),
        ("ben", "PURCHASED", "tea", 20),
        ("cem", "VIEWED", "tea", 21),
    ]
    fill(store, events, values={0: 10.0, 1: 5.0, 2: 15.0})
    assert ask(store, "value_by_period") == [
        {"period_at": "2023-11-01T00:00:00Z", "events": 3, "users": 2, "value": 30.0, "value_per_user": 15.0},
        {"period_at": "2023-12-01T00:00:00Z", "events": 1, "users": 1, "value": 0.0, "value_per_user": 0.0},
    ]
    assert [row["events"] for row in ask(store, "value_by_period", periods=1)] == [1]
    assert [row["events"] for row in ask(store, "value_by_period", period="week", as_of=at(5))] == [3]
    assert ask(store, "value_by_period", event="borrowed") == []
