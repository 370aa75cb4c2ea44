"""The insight queries, on graphs whose answers are worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from graphprofile.errors import NotFound, UsageError
from graphprofile.insights import GROUPS, list_insights, run_insight
from graphprofile.records import iso
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

from .small_graph import DAY, Event, at, fill

RULES = Vocabulary()

SHOP: list[Event] = [
    ("ada", "PURCHASED", "tea", 1),
    ("ben", "PURCHASED", "tea", 2),
    ("cem", "PURCHASED", "tea", 3),
    ("dora", "PURCHASED", "tea", 4),
    ("ada", "PURCHASED", "cup", 1),
    ("ada", "PURCHASED", "cup", 5),
    ("ben", "PURCHASED", "cup", 2),
    ("cem", "PURCHASED", "cup", 3),
    ("eve", "PURCHASED", "cup", 9),
    ("ada", "PURCHASED", "spoon", 1),
    ("ben", "VIEWED", "spoon", 2),
    ("cem", "RETURNED", "spoon", 3),
    ("eve", "PURCHASED", "hat", 9),
]


def ask(store: Store, name: str, **params: Any) -> list[dict[str, Any]]:
    return run_insight(store, RULES, name, **params)


# --- co_purchase ------------------------------------------------------------------------------------------


def test_co_purchase_counts_people_and_relates_them_to_all_active_ones(store: Store) -> None:
    fill(store, SHOP, titles={"cup": "A cup"}, users=["zoe"])
    # Tea has four people. Three of them have a cup (one twice), and so has eve: lift = 3/4 / (4/5).
    # Two have a spoon; cem only gave one back. Five people are active: zoe is not.
    assert ask(store, "co_purchase", item="tea") == [
        {
            "id": "cup",
            "title": "A cup",
            "co_users": 3,
            "share": 0.75,
            "lift": pytest.approx(0.9375),
            "users": 4,
        },
        {"id": "spoon", "title": None, "co_users": 2, "share": 0.5, "lift": pytest.approx(1.25), "users": 2},
    ]


def test_co_purchase_of_one_kind_of_event(store: Store) -> None:
    fill(store, SHOP)
    by_event = {
        row["id"]: row["co_users"]
        for row in ask(store, "co_purchase", item="tea", event="purchased", min_users=1)
    }
    assert by_event == {"cup": 3, "spoon": 1}
    assert ask(store, "co_purchase", item="tea", event="VIEWED") == []


def test_co_purchase_looks_at_the_latest_people_of_a_bestseller(store: Store) -> None:
    fill(store, SHOP)
    # cem (day 3) and dora (day 4) are the latest two with tea; only cem has a cup.
    found = ask(store, "co_purchase", item="tea", audience=2, min_users=1)
    assert [(row["id"], row["co_users"], row["share"]) for row in found] == [("cup", 1, 0.5)]


# --- path_between_users -----------------------------------------------------------------------------------


def test_path_prefers_short_ways_and_then_rare_links(store: Store) -> None:
    fill(
        store,
        [
            ("ada", "PURCHASED", "tea", 1),
            ("ben", "PURCHASED", "tea", 1),
            ("cem", "PURCHASED", "tea", 1),
            ("ada", "VIEWED", "cup", 2),
            ("ben", "PURCHASED", "cup", 2),
            ("ben", "FOLLOWED", "user:ada", 3),
        ],
        titles={"cup": "A cup"},
    )
    assert ask(store, "path_between_users", user="ada", other="ben") == [
        {
            "hops": 1,
            "how": "direct",
            "via": "FOLLOWED",
            "path": ["ben", "FOLLOWED", "ada"],
            "user": None,
            "shared_by": 1,
        },
        {
            "hops": 2,
            "how": "shared thing",
            "via": "A cup",
            "path": ["ada", "VIEWED", "A cup", "PURCHASED", "ben"],
            "user": None,
            "shared_by": 2,
        },
        {
            "hops": 2,
            "how": "shared thing",
            "via": "tea",
            "path": ["ada", "PURCHASED", "tea", "PURCHASED", "ben"],
            "user": None,
            "shared_by": 3,
        },
    ]
    # Enough short ways: the long ones are not looked for.
    assert [row["via"] for row in ask(store, "path_between_users", user="ada", other="ben", limit=2)] == [
        "FOLLOWED",
        "A cup",
    ]


def test_path_through_a_tag_and_through_a_third_person(store: Store) -> None:
    events: list[Event] = [
        ("ada", "PURCHASED", "tea", 1),
        ("ben", "PURCHASED", "mate", 1),
        ("cem", "PURCHASED", "tea", 1),
        ("cem", "PURCHASED", "mate", 2),
        ("cem", "PURCHASED", "hat", 2),
        ("dora", "PURCHASED", "hat", 2),
    ]
    fill(
        store,
        events,
        tags={"tea": [("genre", "Drinks")], "mate": [("genre", "Drinks")]},
        names={"cem": "Cem A."},
    )
    assert ask(store, "path_between_users", user="ada", other="ben") == [
        {
            "hops": 4,
            "how": "shared tag",
            "via": "genre:Drinks",
            "path": ["ada", "tea", "genre:Drinks", "mate", "ben"],
            "user": None,
            "shared_by": 2,
        },
        {
            "hops": 4,
            "how": "shared person",
            "via": "Cem A.",
            "path": ["ada", "tea", "Cem A.", "mate", "ben"],
            "user": "cem",
            "shared_by": 3,
        },
    ]
    # A thing with more events than `hub` links nobody through a third person.
    assert [row["how"] for row in ask(store, "path_between_users", user="ada", other="ben", hub=1)] == [
        "shared tag"
    ]


def test_path_between_strangers_is_empty(store: Store) -> None:
    fill(
        store, [("ada", "PURCHASED", "tea", 1), ("ben", "PURCHASED", "hat", 1), ("ben", "RETURNED", "tea", 2)]
    )
    assert ask(store, "path_between_users", user="ada", other="ben") == []
    with pytest.raises(UsageError, match="are the same"):
        ask(store, "path_between_users", user="ada", other="ada")


# --- audience_of_tag --------------------------------------------------------------------------------------


def test_audience_is_decayed_to_the_newest_event_and_shared_within_the_kind(store: Store) -> None:
    fill(
        store,
        [
            ("ada", "LIKED", "tea", 0),  # weight 2, a half-life of 90 days before the newest event: 1
            ("ben", "LIKED", "tea", 90),  # 2
            ("ben", "PURCHASED", "hat", 90),  # weight 4, of another genre
            ("cem", "RETURNED", "tea", 90),  # below zero: no audience
        ],
        tags={"tea": [("genre", "Drinks"), ("shape", "Loose")], "hat": [("genre", "Clothes")]},
        names={"ada": "Ada"},
    )
    assert ask(store, "audience_of_tag", tag="Drinks") == [
        {
            "user": "ben",
            "name": None,
            "score": pytest.approx(2.0),
            "share": pytest.approx(2 / 6),
            "events": 1,
            "last_at": iso(at(90)),
        },
        {
            "user": "ada",
            "name": "Ada",
            "score": pytest.approx(1.0),
            "share": pytest.approx(1.0),
            "events": 1,
            "last_at": iso(at(0)),
        },
    ]
    later = ask(store, "audience_of_tag", tag="Drinks", as_of=at(180), limit=1)
    assert [(row["user"], row["score"]) for row in later] == [("ben", pytest.approx(1.0))]


def test_audience_of_a_broader_tag_counts_what_lies_below(store: Store) -> None:
    fill(
        store,
        [("ada", "LIKED", "tea", 0), ("ada", "LIKED", "mate", 0)],
        tags={"tea": [("genre", "Tea")], "mate": [("genre", "Mate")]},
        broader=[("genre", "Tea", "genre", "Drinks"), ("genre", "Mate", "genre", "Drinks")],
    )
    (row,) = ask(store, "audience_of_tag", tag="Drinks")
    assert (row["score"], row["events"]) == (pytest.approx(4.0), 2)


def test_tag_is_named_plainly_or_with_its_kind(store: Store) -> None:
    fill(
        store,
        [("ada", "LIKED", "tea", 0), ("ben", "LIKED", "oolong", 0)],
        tags={"tea": [("genre", "China")], "oolong": [("country", "China")]},
    )
    with pytest.raises(UsageError, match="ambiguous") as caught:
        ask(store, "audience_of_tag", tag="China")
    assert "country:China, genre:China" in str(caught.value.hint)
    for asked in ({"tag": "country:China"}, {"tag": "China", "kind": "country"}):
        assert [row["user"] for row in ask(store, "audience_of_tag", **asked)] == ["ben"]
    with pytest.raises(NotFound):
        ask(store, "audience_of_tag", tag="Japan")


def test_past_time_is_refused_where_interests_are_kept_as_of_now(store: Store) -> None:
    fill(store, [("ada", "LIKED", "tea", 5)], tags={"tea": [("genre", "Drinks")]})
    with pytest.raises(UsageError, match="before the newest event"):
        ask(store, "audience_of_tag", tag="Drinks", as_of=at(4))


# --- rising_tags ------------------------------------------------------------------------------------------


def test_rising_tags_compare_shares_of_two_windows(store: Store) -> None:
    tags = {"tea": [("genre", "Green tea")], "hat": [("genre", "Clothes")]}
    broader = [("genre", "Green tea", "genre", "Drinks")]
    events: list[Event] = [
        ("ada", "VIEWED", "hat", 35),
        ("ben", "VIEWED", "hat", 36),
        ("ada", "VIEWED", "tea", 37),
    ]
    events += [(user, "VIEWED", "tea", 62) for user in ("ada", "ben", "cem")]
    events += [("ada", "VIEWED", "hat", 65), ("ben", "VIEWED", "hat", 90)]
    # Before both windows, and a dislike inside: neither counts.
    events += [("ada", "VIEWED", "tea", 1), ("cem", "DISLIKED", "hat", 70)]
    fill(store, events, tags=tags, broader=broader)
    # Days 60 to 90 against 30 to 60: tea 3 of 5 events after 1 of 3, hats 2 of 5 after 2 of 3.
    tea = ((3 + 5) / (5 + 5)) / ((1 + 5) / (3 + 5))
    hat = ((2 + 5) / (5 + 5)) / ((2 + 5) / (3 + 5))
    expected = [("Drinks", 3, 1, 3, tea), ("Green tea", 3, 1, 3, tea), ("Clothes", 2, 2, 2, hat)]
    found = ask(store, "rising_tags")
    assert [
        (row["tag"], row["events"], row["events_before"], row["users"], pytest.approx(row["growth"]))
        for row in found
    ] == expected
    assert [row["tag"] for row in ask(store, "rising_tags", min_users=3, limit=1)] == ["Drinks"]
    assert ask(store, "rising_tags", kind="colour") == []
    # Asked as of day 40, only the last ten days before it and the ten before those are looked at.
    early = ask(store, "rising_tags", as_of=iso(at(40)), window_days=10)
    assert [(row["tag"], row["events"]) for row in early] == [("Clothes", 2)]


# --- loyal_and_lapsing_users ------------------------------------------------------------------------------


def test_loyalty_is_measured_by_a_persons_own_rhythm(store: Store) -> None:
    events: list[Event] = [("ada", "VIEWED", "tea", day) for day in (0, 10, 20, 30)]
    events += [("ada", "RETURNED", "tea", 30.5)]
    events += [("ben", "VIEWED", "tea", day) for day in (20, 30, 40, 50, 60)]
    events += [("cem", "VIEWED", "tea", day) for day in (0, 1, 2, 3)]
    events += [("dora", "VIEWED", "tea", day) for day in (0, 30, 60)]
    fill(store, events, names={"ada": "Ada"})
    # As of day 60: ada was quiet for 29.5 days at a gap of 30.5 / 3, ben for none, cem for 57 at a gap of
    # one; dora has only three active days.
    found = ask(store, "loyal_and_lapsing_users")
    assert [(row["user"], row["status"], row["events"], row["active_days"]) for row in found] == [
        ("ada", "lapsing", 5, 4),
        ("ben", "loyal", 5, 5),
        ("cem", "lost", 4, 4),
    ]
    ada = found[0]
    assert ada["name"] == "Ada"
    assert ada["gap_days"] == pytest.approx(30.5 / 3)
    assert ada["quiet_days"] == pytest.approx(29.5)
    assert (ada["first_at"], ada["last_at"]) == (iso(at(0)), iso(at(30.5)))
    assert [row["user"] for row in ask(store, "loyal_and_lapsing_users", status="lost")] == ["cem"]
    earlier = ask(store, "loyal_and_lapsing_users", as_of=at(31), status="loyal")
    assert [row["user"] for row in earlier] == ["ada"]


# --- calling ----------------------------------------------------------------------------------------------


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("co_purchas", {}, "There is no insight 'co_purchas'"),
    ("co_purchase", {}, "needs the parameter item"),
    ("co_purchase", {"item": "tea", "limt": 3}, "takes no parameter 'limt'"),
    ("co_purchase", {"item": "tea", "limit": "many"}, "limit = 'many' is not of type int"),
    ("co_purchase", {"item": "tea", "limit": "2.5"}, "limit = '2.5' is not of type int"),
    ("co_purchase", {"item": "tea", "limit": 0}, "limit = 0 is below 1"),
    ("co_purchase", {"item": "tea", "event": "bougth"}, "Unknown event type 'bougth'"),
    ("rising_tags", {"window_days": "nan"}, "is not of type float"),
    ("rising_tags", {"window_days": 0}, "is not above 0"),
    ("rising_tags", {"as_of": "soon"}, "as_of = 'soon' is not of type time"),
    ("loyal_and_lapsing_users", {"status": "gone"}, "is none of loyal, lapsing, lost"),
    ("audience_of_tag", {"tag": "Drinks", "half_life_days": 3}, "takes no parameter 'half_life_days'"),
    ("communities", {"by": "colour"}, "is none of items, tags"),
    ("co_purchase", {"item": "tea", "limit": -1}, "limit = -1 is below 1"),
    ("co_purchase", {"item": "tea", "limit": 10**6}, "limit = 1000000 is above 10000"),
    ("co_purchase", {"item": "tea", "min_users": 10**30}, "is not of type int"),
    ("rising_tags", {"as_of": 10**30}, "is not of type time"),
    ("rising_tags", {"as_of": "9" * 30}, "is not of type time"),
    ("falling_tags", {"window_days": -1}, "is not above 0"),
    ("activity_by_hour", {"utc_offset_hours": 15}, "is above 14"),
    ("falling_activity", {"drop": 1.5}, "is above 1"),
    ("item_conversion", {"event": "viewed", "goal": "VIEWED"}, "event and goal are the same"),
    ("item_conversion", {"order": "any"}, "is none of best, worst"),
    ("bought_together", {"items": 1}, "is below 2"),
    ("new_and_returning", {"period": "year"}, "is none of day, week, month"),
    ("paths_before", {"length": 0}, "length = 0 is below 1"),
    ("influencers", {"by": "colour"}, "is none of follows, interests"),
    ("audience_overlap", {"tag": "Drinks"}, "needs the parameter other_tag"),
    ("rfm_segments", {"days": 0}, "days = 0.0 is not above 0"),
]


def test_wrong_use_is_named(store: Store) -> None:
    fill(store, SHOP, tags={"tea": [("genre", "Drinks")]})
    for name, params, message in WRONG:
        with pytest.raises(UsageError) as caught:
            ask(store, name, **params)
        assert message in caught.value.message
        assert caught.value.hint


def test_unknown_ids_are_not_found(store: Store) -> None:
    fill(store, SHOP)
    with pytest.raises(NotFound, match="No item 'coffee'"):
        ask(store, "co_purchase", item="coffee")
    with pytest.raises(NotFound, match="No user 'adam'"):
        ask(store, "path_between_users", user="adam", other="ben")
    with pytest.raises(NotFound, match="No user 'adam'"):
        ask(store, "interest_drift", user="adam")
    with pytest.raises(NotFound, match="No item 'coffee'"):
        ask(store, "item_life_cycle", item="coffee")


def test_text_from_a_command_line_is_converted(store: Store) -> None:
    fill(store, SHOP)
    typed = ask(store, "co_purchase", item="tea", limit=1, min_users=2)
    assert ask(store, "co_purchase", item=" tea ", limit="1", min_users="2") == typed


def test_empty_store_says_so(store: Store) -> None:
    for insight in list_insights():
        if any(parameter.default is None for parameter in insight.parameters):
            continue
        if any(parameter.name == "as_of" for parameter in insight.parameters):
            with pytest.raises(NotFound, match="no events yet"):
                ask(store, insight.name)
        else:
            assert ask(store, insight.name) == []


def test_a_window_with_nothing_in_it_gives_nothing(store: Store) -> None:
    fill(store, SHOP, tags={"tea": [("genre", "Drinks")]})
    for insight in list_insights():
        names = {parameter.name for parameter in insight.parameters}
        if "as_of" in names and "tag" not in names:
            rows = ask(store, insight.name, as_of=at(-1000))
            assert rows == [] or (insight.name == "funnel" and not any(row["users"] for row in rows))


LIVELY: list[Event] = [
    *SHOP,
    *[("ada", "PURCHASED", "tea", 10.0 + n) for n in range(4)],
    *[("cem", "VIEWED", "cup", -40.0 - n) for n in range(20)],
    *[(user, "READ", "content:guide", -60) for user in ("ada", "ben", "cem")],
    *[(user, "LIKED", "tea", -35) for user in ("ada", "ben", "cem")],
    ("ada", "FOLLOWED", "user:ben", 1),
    ("ben", "FOLLOWED", "user:cem", 1),
]
"""Enough of everything for every insight to have something to say."""

EXAMPLES = {"item": "tea", "user": "ada", "other": "ben", "tag": "Drinks", "other_tag": "Hot"}
FEW = {"min_users": 1, "min_size": 1, "min_events": 1}


def test_every_insight_answers_with_the_columns_it_declares(store: Store) -> None:
    tags = {
        "tea": [("genre", "Drinks"), ("genre", "Hot")],
        "cup": [("genre", "Hot")],
        "content:guide": [("genre", "How-to")],
    }
    fill(store, LIVELY, tags=tags)
    for insight in list_insights():
        params = {p.name: EXAMPLES[p.name] for p in insight.parameters if p.default is None}
        params |= {p.name: FEW[p.name] for p in insight.parameters if p.name in FEW}
        rows = ask(store, insight.name, **params)
        assert rows, insight.name
        assert [column.name for column in insight.columns] == list(rows[0])
        assert insight.question.endswith("?")
        assert insight.group in GROUPS
        assert set(insight.chart.axes.values()) <= set(rows[0])
        assert all(parameter.text for parameter in insight.parameters)
        for column in insight.columns:
            if column.name.endswith("_at"):
                assert all(row[column.name][-1] == "Z" for row in rows)


def test_what_may_grow_is_bounded() -> None:
    listed = list_insights()
    assert len(listed) >= 25
    assert {insight.group for insight in listed} == set(GROUPS)
    assert [insight.group for insight in listed] == sorted(
        (insight.group for insight in listed), key=GROUPS.index
    )
    for insight in listed:
        bounds = {p.name: p.type for p in insight.parameters}
        # The rows of the others are as many as hours in a week, steps, periods squared, or one.
        fixed = {"activity_by_hour", "audience_overlap", "funnel", "rfm_segments", "communities"}
        assert "limit" in bounds or "periods" in bounds or insight.name in fixed
        for name in bounds.keys() & {"limit", "periods", "items", "tags", "length"}:
            assert "at least" in bounds[name]
            assert "at most" in bounds[name] or name == "limit"


def test_days_of_the_graphs_are_whole() -> None:
    assert at(0) % DAY == 0
