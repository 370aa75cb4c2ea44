"""What people say and what they do, on both engines: small graphs with obvious answers, and sums that must come out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from graphprofile import EventRule, GraphProfile, Vocabulary
from graphprofile.errors import NotFound
from graphprofile.feedback import THRESHOLD, disagreement
from graphprofile.records import SaysAndDoes, epoch_ms, iso
from graphprofile.tags import MS_PER_DAY, Hierarchy, interests_of, read_events, weights_of_objects
from graphprofile.vocabulary import DEFAULT_EVENTS

from .conftest import Wipe, event
from .test_invariants import rows

T0 = 1_700_000_000_000
ITEMS = [
    {"item_id": "ode", "title": "Ode", "tags": "genre:Ode"},
    {"item_id": "noir", "title": "Noir", "tags": [{"kind": "genre", "name": "Crime", "weight": 0.5}]},
    {"item_id": "lamp", "title": "A lamp", "tags": "genre:Light"},
    {"item_id": "plain"},
]
TAGS = [{"tag": "genre:Ode", "part_of": "genre:Poetry"}]
SHAPE = ("disagreement", "says", "does", "explicit", "implicit", "explicit_events", "implicit_events")
E1 = math.e - 1
"""An amount that weighs 1."""


def load(gp: GraphProfile, *events: dict[str, Any]) -> None:
    gp.load(TAGS, kind="tags")
    gp.load(ITEMS, kind="items")
    gp.load(list(events))
    gp.update_tags()


def day(number: float) -> int:
    return T0 + round(number * MS_PER_DAY)


def shape(one: SaysAndDoes) -> tuple[Any, ...]:
    return tuple(getattr(one, name) for name in SHAPE)


def close(*values: float) -> Any:
    return pytest.approx(values, rel=1e-8)


def test_bought_three_times_and_rated_one_star(gp: GraphProfile) -> None:
    load(
        gp,
        *[event(f"b{n}", "ann", "ode", kind="purchased", value=E1, ts=T0) for n in range(3)],
        event("r", "ann", "ode", kind="rated", value=1, ts=T0),
        event("v", "ann", "lamp", ts=T0),
        event("l", "ann", "lamp", kind="liked", ts=T0),
    )
    found = gp.feedback("ann")
    # Said: one star, two below neutral. Done: three purchases of weight four.
    says, does = -2 / (1 + 2), 12 / (1 + 12)
    expected = close(math.sqrt(-says * does), says, does, -2.0, 12.0, 1, 3)
    assert [one.tag for one in found.tags] == ["Ode", "Poetry"]
    assert all(shape(one) == expected for one in found.tags)
    assert [(one.kind, one.id, one.title) for one in found.objects] == [("item", "ode", "Ode")]
    assert shape(found.objects[0]) == expected
    assert found.objects[0].last_at == found.as_of == iso(T0)
    # The lamp is liked and looked at: nothing to tell, but there where all is asked for.
    every = gp.feedback("ann", all=True)
    assert [one.tag for one in every.tags] == ["Ode", "Poetry", "Light"]
    assert [one.id for one in every.objects] == ["ode", "lamp"]
    assert shape(every.objects[1]) == close(0, 2 / 3, 1 / 2, 2.0, 1.0, 1, 1)
    assert [one.id for one in gp.feedback("ann", all=True, limit=1).objects] == ["ode"]


def test_liked_and_sent_back(gp: GraphProfile) -> None:
    load(
        gp,
        event("l", "ann", "lamp", kind="liked", ts=T0),
        event("b", "ann", "lamp", kind="returned", ts=T0),
    )
    (told,) = gp.feedback("ann").objects
    assert (told.says, told.does) == close(2 / 3, -4 / 5)


def test_what_cancels_out_and_what_is_little_is_not_told(gp: GraphProfile) -> None:
    load(
        gp,
        # As many stars above neutral as below; bought and sent back; neutral stars; a weak and old word.
        event("1", "ann", "ode", kind="rated", value=1, ts=T0),
        event("2", "ann", "ode", kind="rated", value=5, ts=T0),
        event("3", "ann", "ode", kind="purchased", ts=T0),
        event("4", "bob", "ode", kind="purchased", ts=T0),
        event("5", "bob", "ode", kind="returned", ts=T0),
        event("6", "bob", "ode", kind="liked", ts=T0),
        event("7", "cyd", "ode", kind="rated", value=3, ts=T0),
        event("8", "cyd", "ode", kind="purchased", ts=T0),
        event("9", "dan", "ode", kind="disliked", ts=T0),
        event("10", "dan", "ode", kind="viewed", ts=day(900)),
    )
    for user, says, does in (
        ("ann", 0.0, 4 / 5),
        ("bob", 2 / 3, 0.0),
        ("cyd", 0.0, 4 / 5),
        ("dan", -2 * 2**-10 / (1 + 2 * 2**-10), 1 / 2),
    ):
        assert gp.feedback(user).tags == gp.feedback(user).objects == []
        (one,) = gp.feedback(user, all=True).objects
        assert (one.says, one.does) == (pytest.approx(says, abs=1e-9), pytest.approx(does))
        assert one.disagreement < THRESHOLD


def test_one_sort_of_event_alone_disagrees_with_nothing(gp: GraphProfile) -> None:
    load(
        gp,
        event("1", "ann", "ode", kind="viewed", ts=T0),
        event("2", "bob", "ode", kind="disliked", ts=T0),
        event("3", "cyd", "plain", kind="viewed", ts=T0),
    )
    for user in ("ann", "bob", "cyd"):
        assert gp.feedback(user).tags == gp.feedback(user).objects == []
    done, said = gp.feedback("ann", all=True), gp.feedback("bob", all=True)
    assert [shape(one) for one in done.tags] == [(0, None, 0.5, 0, 1, 0, 1)] * 2
    assert [shape(one) for one in said.objects] == [(0, pytest.approx(-2 / 3), None, -2, 0, 1, 0)]
    # Something without tags is a thing all the same.
    plain = gp.feedback("cyd", all=True)
    assert (plain.tags, [one.id for one in plain.objects]) == ([], ["plain"])


def test_nobody_and_somebody_without_events(gp: GraphProfile) -> None:
    load(gp, event("1", "ann", "ode", ts=T0))
    gp.load([{"user_id": "new"}], kind="users")
    found = gp.feedback("new", all=True)
    assert (found.tags, found.objects, found.as_of) == ([], [], iso(T0))
    with pytest.raises(NotFound, match="No user 'nobody'"):
        gp.feedback("nobody")


def test_as_of_the_past_and_the_future(gp: GraphProfile) -> None:
    load(
        gp,
        event("1", "ann", "ode", kind="purchased", ts=day(0)),
        event("2", "ann", "ode", kind="disliked", ts=day(90)),
        event("3", "ann", "ode", kind="liked", ts=day(180)),
    )
    assert gp.feedback("ann", as_of=day(-1), all=True).objects == []
    assert gp.feedback("ann", as_of=day(89)).objects == []
    (one,) = gp.feedback("ann", as_of=day(90)).objects
    # A half-life after the purchase.
    assert (one.says, one.does, one.explicit, one.implicit) == close(-2 / 3, 2 / 3, -2, 2)
    (one,) = gp.feedback("ann", as_of=day(180) - 1).objects
    assert (one.says, one.does) == close(-2 / 3, 2 / 3)
    assert (one.explicit, one.implicit) == pytest.approx((-1, 1), rel=1e-6)
    # What is liked now outweighs what was disliked half a life ago.
    assert gp.feedback("ann").objects == []
    now, later = (gp.feedback("ann", as_of=time, all=True).objects[0] for time in (None, day(270)))
    assert (later.says, later.does, later.disagreement) == (now.says, now.does, now.disagreement)
    assert later.explicit == pytest.approx(now.explicit / 2)


def test_a_word_that_is_withdrawn_is_not_held_against_anybody(gp: GraphProfile) -> None:
    load(gp, event("1", "ann", "ode", kind="purchased"), event("2", "ann", "ode", kind="disliked"))
    assert [one.tag for one in gp.feedback("ann").tags] == ["Ode", "Poetry"]
    gp.load([{"event_id": "2", "event_type": "disliked"}], kind="retracted")
    found = gp.feedback("ann", all=True)
    assert gp.feedback("ann").tags == gp.feedback("ann").objects == []
    assert [(one.explicit_events, one.implicit_events) for one in found.objects] == [(0, 1)]


def test_ties_are_in_the_order_of_their_events_and_names(gp: GraphProfile) -> None:
    gp.load([{"item_id": name, "tags": f"genre:{name}"} for name in "cab"], kind="items")
    load(
        gp,
        *[event(f"v{name}", "ann", name, ts=T0) for name in "abc"],
        *[event(f"d{name}", "ann", name, kind="disliked", ts=T0) for name in "abc"],
        # Neutral: says nothing, but is one event more.
        event("r", "ann", "c", kind="rated", value=3, ts=T0),
        event("w", "ann", "lamp", kind="purchased", ts=T0),
        event("x", "ann", "lamp", kind="disliked", ts=T0),
    )
    found = gp.feedback("ann")
    assert [one.id for one in found.objects] == ["lamp", "c", "a", "b"]
    assert [one.tag for one in found.tags] == ["Light", "c", "a", "b"]


def test_the_weight_of_a_tag_counts_and_people_are_things_too(gp: GraphProfile) -> None:
    load(
        gp,
        event("1", "ann", "noir", kind="purchased", ts=T0),
        event("2", "ann", "noir", kind="rated", value=1, ts=T0),
        event("3", "ann", "bob", kind="followed", ts=T0, object_kind="user"),
    )
    found = gp.feedback("ann", all=True)
    (crime,) = found.tags
    assert (crime.says, crime.does) == close(-1 / 2, 2 / 3)
    assert [(one.kind, one.id) for one in found.objects] == [("item", "noir"), ("user", "bob")]


def test_a_scale_and_what_is_explicit_are_declared(gp: GraphProfile) -> None:
    answers = EventRule(type="ANSWERED", value="rating", scale=[1, 11])
    rules = Vocabulary(events={**DEFAULT_EVENTS, "answered": answers})
    gp.vocabulary = rules
    load(
        gp,
        event("1", "ann", "ode", kind="answered", value=2, ts=T0),
        event("2", "ann", "ode", kind="watched", ts=T0),
        event("3", "ann", "ode", kind="shared", ts=T0),
    )
    refused = gp.load([event("4", "ann", "ode", kind="answered", value=12)])
    assert refused.quarantined == 1
    assert "12 is above 11, the limit of ANSWERED" in Path(str(refused.quarantine_file)).read_text("utf-8")
    (one,) = gp.feedback("ann").objects
    # Four below the middle of the scale; watched and shared.
    assert (one.says, one.does) == close(-4 / 5, 5 / 6)
    # What counts as said is read from what is declared now: nothing is computed anew.
    shared = DEFAULT_EVENTS["shared"].model_copy(update={"feedback": "explicit"})
    gp.vocabulary = Vocabulary(events={**rules.events, "shared": shared})
    assert gp.changed_rules() == []
    (one,) = gp.feedback("ann", all=True).objects
    assert (one.explicit_events, one.implicit_events) == (2, 1)
    assert {step.event: step.feedback for step in gp.explain("ann", tag="Ode").paths} == {
        "answered": "explicit",
        "shared": "explicit",
        "watched": "implicit",
    }
    gp.update_tags()
    assert gp.computed_rules.events["shared"].feedback == "explicit"


def test_the_measure() -> None:
    assert disagreement(-1, 1) == disagreement(1, -1) == 1
    assert disagreement(-0.5, 0.5) == 0.5
    assert (
        disagreement(0.9, 0.1) == disagreement(-0.9, -0.1) == disagreement(0, 1) == disagreement(-1, 0) == 0
    )
    # Much on one side does not make up for nothing on the other.
    assert disagreement(-0.01, 1) < THRESHOLD < disagreement(-0.5, 0.2)


def test_said_and_done_come_to_the_interest(gp: GraphProfile, wipe: Wipe) -> None:
    """Whatever the events: both scores are the formula over their own events, and their sum is the interest's."""

    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(rows())
    def check(given_rows: list[tuple[str, dict[str, Any]]]) -> None:
        graph = wipe(gp)
        for kind, row in given_rows:
            graph.load([row], kind=kind)  # type: ignore[arg-type]
        graph.update_tags()
        rules = graph.computed_rules
        for user in {row["user_id"] for kind, row in given_rows if kind == "events"}:
            profile, found = graph.profile(user), graph.feedback(user, all=True, limit=1000)
            both = {(one.kind, one.tag): one for one in found.tags}
            assert both.keys() == {(tag.kind, tag.tag) for tag in profile.tags}
            events = read_events(graph.store, rules, [user])[user]
            weights = weights_of_objects(graph.store, {e.object for e in events}, Hierarchy.read(graph.store))
            whole = interests_of(events, weights, rules)
            apart = {
                sort: interests_of([e for e in events if rules.feedback_of[e.type] == sort], weights, rules)
                for sort in ("explicit", "implicit")
            }
            for tag in profile.tags:
                one, key = both[tag.kind, tag.tag], (tag.kind, tag.tag)
                age = (epoch_ms(profile.as_of or "") - whole[key].last_at) / MS_PER_DAY
                size = whole[key].magnitude_long * math.exp2(-age / 90)
                assert abs(one.explicit + one.implicit - tag.score) <= 1e-8 * size
                assert one.explicit_events + one.implicit_events == tag.events
                assert one.last_at == tag.last_at
                for sort, side in (("explicit", one.says), ("implicit", one.does)):
                    expected = apart[sort].get(key)
                    assert (side is None) == (expected is None)
                    if expected is not None and side is not None:
                        fade = math.exp2((expected.last_at - whole[key].last_at) / MS_PER_DAY / 90)
                        assert side == pytest.approx(
                            expected.long * fade / (1 + expected.magnitude_long * fade), abs=1e-8
                        )
                told = one.says is not None and one.does is not None and one.says * one.does < 0
                assert (one.disagreement > 0) <= told
            assert sum(one.explicit_events + one.implicit_events for one in found.objects) == len(events)
            assert [one for one in found.tags if one.disagreement >= THRESHOLD] == graph.feedback(user).tags

    check()
