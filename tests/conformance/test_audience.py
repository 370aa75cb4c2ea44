"""Audiences on both engines: obvious answers, and the same as going through everybody one by one."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from http_world import DAY, START, event, fill

from graphprofile import GraphProfile
from graphprofile.audience.conditions import (
    Did,
    Interest,
    Like,
    Property,
    Seen,
    Times,
    Vector,
    end_of,
    parse,
    write,
)
from graphprofile.errors import NoModel, NotFound, UsageError
from graphprofile.records import iso

LAST = 5 + 39 / 40


@pytest.fixture
def gp(gp: GraphProfile) -> GraphProfile:
    """Forty users of two tastes: the even ones read poetry, the odd ones travel."""
    fill(gp)
    return gp


def ids(gp: GraphProfile, all_of: Any = (), any_of: Any = (), none_of: Any = ()) -> set[str]:
    found = list(gp.audience(all_of, any_of, none_of).ids())
    assert found == sorted(found)
    assert len(set(found)) == len(found)
    return set(found)


def test_obvious_answers(gp: GraphProfile) -> None:
    even = {f"u{n}" for n in range(0, 40, 2)}
    odd = {f"u{n}" for n in range(1, 40, 2)}
    assert ids(gp) == even | odd
    assert ids(gp, "interest tag=Poetry") == ids(gp, ["interest tag=genre:Poetry share=0.9 top=1"]) == even
    assert ids(gp, none_of=["interest tag=Poetry"]) == odd
    assert ids(gp, any_of=["interest tag=Poetry", "interest tag=Travel"]) == even | odd
    assert ids(gp, ["interest tag=Poetry", "interest tag=Travel"]) == set()
    assert ids(gp, "did item=i0") == {
        f"u{n}" for n in range(0, 40, 2) for s in range(6) if (n * 7 + s * 3) % 10 == 0
    }
    assert ids(gp, "did tag=Travel event=viewed times=6") == odd
    assert ids(gp, "did tag=Travel times=7") == set()
    assert ids(gp, "did event=purchased") == set()
    assert ids(gp, ["property city=Paris", "property 'name=Reader 7'"]) == {"u7"}
    assert ids(gp, "property city!=Paris") == set()
    assert ids(gp, "vector status=missing") == even | odd
    assert ids(gp, "did days=0.2") == {f"u{n}" for n in range(40) if LAST - (5 + n / 40) < 0.2}
    last = iso(START + 5 * DAY + DAY // 2)
    assert ids(gp, f"seen last since={last}") == {f"u{n}" for n in range(20, 40)}
    assert ids(gp, f"seen first until={iso(START)}") == {"u0"}


def test_pages_go_on_where_they_ended(gp: GraphProfile) -> None:
    audience = gp.audience("interest tag=Poetry")
    assert audience.count() == 20
    first = audience.page(12)
    second = audience.page(12, first[-1].id)
    assert [one.id for one in first + second] == sorted(f"u{n}" for n in range(0, 40, 2))
    assert first[0].properties["name"] == "Reader 0"
    assert first[0].top_tags == ["Poetry"]
    assert (first[0].events, first[0].last_seen) == (6, iso(START + 5 * DAY))
    size = audience.measure()
    assert (size.count, size.of, size.share) == (20, 40, 0.5)
    (tag,) = audience.tags(size.sample)
    assert (tag.tag, tag.users, tag.share) == ("Poetry", 20, 1.0)
    assert tag.lift == pytest.approx(2, rel=0.02)


def test_what_is_wrong_is_said(gp: GraphProfile) -> None:
    for text, said in (
        ("interest", "tag is missing"),
        ("interest tag=Poetry share=2", "0 to 1"),
        ("interest tag=Poetry colour=red", "says nothing"),
        ("did event=sold", "Unknown event type"),
        ("did times=0", "whole number"),
        ("did since=soon", "no time"),
        ("property height=3", "no user has such a property"),
        ("property city~Paris", "no operator"),
        ("property top_tags=Poetry", "keeps that property itself"),
        ("seen last", "no time"),
        ("like k=3", "names nobody"),
        ("vector status=old", "no status"),
        ("everybody", "begins no condition"),
        ("interest 'tag=Poetry", "no condition"),
        ("", "begins no condition"),
    ):
        with pytest.raises(UsageError, match=said):
            gp.audience([text])
    with pytest.raises(NotFound):
        gp.audience(["interest tag=Nothing"])
    with pytest.raises(NoModel):
        gp.audience(["like user=u1"])
    with pytest.raises(UsageError, match="conditions at most"):
        gp.audience(["interest tag=Poetry"] * 31)


def test_words(gp: GraphProfile) -> None:
    audience = gp.audience(
        ["interest tag=Poetry share=0.2", "did event=viewed times=3 days=30 tag=Poetry"],
        none_of=["property city=Rome"],
    )
    assert audience.words() == (
        "People who have an interest in Poetry that makes up at least 20% of theirs of its kind, and viewed something "
        "tagged Poetry at least 3 times in the last 30 days, but not those who have a city that is Rome."
    )
    assert gp.audience().words() == "Everybody."


@pytest.mark.parametrize(
    "condition",
    [
        Interest("genre:Short stories", share=0.25, top=3),
        Property("city=New York"),
        Did("viewed", 3, Times(days=30.5), "Poetry", "i 1"),
        Did(when=Times(since="1930", until="1931-02")),
        Seen("first", Times(since="1930-01-02")),
        Like(("a b", "c'd"), 20),
        Vector("cold_start"),
    ],
)
def test_conditions_are_written_as_they_are_read(condition: Any) -> None:
    assert parse(write(condition)) == condition


def test_a_time_alone_is_meant_to_its_end() -> None:
    assert iso(end_of("1930")) == "1930-12-31T23:59:59.999Z"
    assert iso(end_of("1930-02")) == "1930-02-28T23:59:59.999Z"
    assert iso(end_of("1930-12-31")) == "1930-12-31T23:59:59.999Z"
    assert iso(end_of("1930-12-31T10:00:00Z")) == "1930-12-31T10:00:00Z"


@pytest.mark.slow
def test_people_alike(gp: GraphProfile) -> None:
    gp.train(seed=0, epochs=3)
    near = [one.id for one in gp.similar_users("u1", 10)]
    assert ids(gp, "like user=u1 k=10") == set(near)
    found = ids(gp, "like user=u1 user=u3 user=u5 k=12")
    assert len(found) == 12
    assert not found & {"u1", "u3", "u5"}
    assert ids(gp, ["like user=u1 k=10", "interest tag=Poetry"]) == {
        one for one in near if int(one[1:]) % 2 == 0
    }
    assert ids(gp, "vector status=fresh") == {f"u{n}" for n in range(40)}
    gp.load([event("new", "u1", "i3", day=9)])
    gp.update_tags()
    assert ids(gp, "vector status=stale") == {"u1"}
    with pytest.raises(NotFound):
        gp.audience(["like user=nobody"])


# --- against going through everybody ------------------------------------------------------------------------


class World:
    """A small graph in plain Python, and each condition by the book."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.users = [f"p{n}" for n in range(25)]
        self.tags = {f"i{n}": self.draw.sample(["A", "B", "C"], self.draw.randint(0, 2)) for n in range(8)}
        self.city = {user: self.draw.choice(["Paris", "Rome", None]) for user in self.users}
        self.age = {user: self.draw.choice([None, 20, 30, 40]) for user in self.users}
        self.events = [
            (
                self.draw.choice(self.users[:-2]),
                self.draw.choice(["viewed", "purchased"]),
                f"i{n % 8}",
                n % 13,
            )
            for n in range(110)
        ]

    def load(self, gp: GraphProfile) -> None:
        gp.load(
            [
                {"item_id": id_, "tags": [f"g:{tag}" for tag in tags] or None}
                for id_, tags in self.tags.items()
            ],
            kind="items",
        )
        gp.load(
            [{"user_id": user, "city": self.city[user], "age": self.age[user]} for user in self.users],
            kind="users",
        )
        gp.load(
            [
                event(f"x{n}", user, item, kind=kind, day=day)
                for n, (user, kind, item, day) in enumerate(self.events)
            ]
        )
        gp.update_tags()

    def condition(self) -> tuple[str, Callable[[str], bool]]:
        """One at random, and who meets it."""
        kind = self.draw.choice(["city", "age", "did", "did", "seen", "interest"])
        if kind == "city":
            city = self.draw.choice(["Paris", "Rome"])
            return f"property city={city}", lambda user: self.city[user] == city
        if kind == "age":
            age = self.draw.choice([20, 30])
            return f"property age>{age}", lambda user: (self.age[user] or 0) > age
        if kind == "interest":
            tag = self.draw.choice(["A", "B", "C"])
            return f"interest tag={tag}", lambda user: self.times(user, tag=tag) > 0
        if kind == "seen":
            which, day = self.draw.choice(["first", "last"]), self.draw.randrange(13)
            return f"seen {which} since={iso(START + day * DAY)}", lambda user: self.seen(user, which) >= day
        event_type, times = self.draw.choice([None, "viewed", "purchased"]), self.draw.randint(1, 4)
        tag, item, day = (self.draw.choice([None, *values]) for values in (["A", "B"], ["i1", "i2"], [3, 8]))
        text = f"did times={times}"
        text += f" event={event_type}" if event_type else ""
        text += f" tag={tag}" if tag else ""
        text += f" item={item}" if item else ""
        text += f" since={iso(START + day * DAY)}" if day else ""
        return text, lambda user: self.times(user, event_type, tag, item, day or 0) >= times

    def times(
        self,
        user: str,
        kind: str | None = None,
        tag: str | None = None,
        item: str | None = None,
        since: int = 0,
    ) -> int:
        return sum(
            who == user
            and (kind is None or did == kind)
            and (item is None or what == item)
            and (tag is None or tag in self.tags[what])
            and day >= since
            for who, did, what, day in self.events
        )

    def seen(self, user: str, which: str) -> int:
        days = [day for who, _, _, day in self.events if who == user]
        return -1 if not days else min(days) if which == "first" else max(days)


@pytest.mark.parametrize("seed", range(2))
def test_the_same_as_one_by_one(store: Any, settings_for_store: Any, seed: int) -> None:
    world = World(seed)
    gp = GraphProfile(store, settings_for_store)
    world.load(gp)
    sizes: dict[int, int] = defaultdict(int)
    for _ in range(40):
        groups = [[world.condition() for _ in range(world.draw.randint(low, 2))] for low in (0, 0, 0)]
        all_of, any_of, none_of = groups
        expected = [
            user
            for user in sorted(world.users)
            if all(met(user) for _, met in all_of)
            and (not any_of or any(met(user) for _, met in any_of))
            and not any(met(user) for _, met in none_of)
        ]
        texts = [[text for text, _ in group] for group in groups]
        audience = gp.audience(*texts)
        assert list(audience.ids()) == expected, texts
        assert audience.count() == len(expected)
        cut = world.draw.choice(world.users)
        assert [one.id for one in audience.page(5, cut)] == [id_ for id_ in expected if id_ > cut][:5], texts
        sizes[len(expected)] += 1
    assert len(sizes) > 4, "the conditions tell people apart"


def test_shares_and_ranks_are_those_of_profiles(gp: GraphProfile) -> None:
    gp.load(
        [event(f"m{n}", f"u{n}", f"i{10 + n % 10}", kind="purchased", day=n % 7) for n in range(0, 40, 4)]
    )
    gp.update_tags()
    profiles = {f"u{n}": gp.profile(f"u{n}") for n in range(40)}
    for part in (0.1, 0.3, 0.5, 0.7):
        expected = {
            user
            for user, profile in profiles.items()
            if any(tag.tag == "Travel" and (tag.share or 0) >= part for tag in profile.tags)
        }
        assert ids(gp, f"interest tag=Travel share={part}") == expected
    expected = {user for user, profile in profiles.items() if profile.tags[0].tag == "Travel"}
    assert ids(gp, "interest tag=Travel top=1") == expected
    scores = sorted(tag.score for profile in profiles.values() for tag in profile.tags if tag.tag == "Travel")
    middle = scores[len(scores) // 2] * 1.0001
    assert len(ids(gp, f"interest tag=Travel score={middle}")) == sum(score >= middle for score in scores)
