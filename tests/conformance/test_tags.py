"""Interests on both engines: the formula by hand, incremental equal to full, read at any time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from graphprofile import GraphProfile, tags
from graphprofile.errors import NotFound, UsageError
from graphprofile.tags import MS_PER_DAY, update_tags
from graphprofile.verifying import verify_tags
from graphprofile.vocabulary import DEFAULT_EVENTS

from .conftest import Wipe, event

T0 = 1_700_000_000_000
ITEMS = [
    {"item_id": "ode", "title": "Ode", "tags": [{"kind": "genre", "name": "Ode", "weight": 0.5}]},
    {"item_id": "sonnet", "title": "Sonnet", "tags": "genre:Sonnet;short"},
    {"item_id": "both", "tags": [{"kind": "genre", "name": "Ode"}, {"kind": "genre", "name": "Sonnet"}]},
    {"item_id": "plain"},
]
TAGS = [{"tag": "genre:Ode", "part_of": "genre:Poetry"}, {"tag": "genre:Sonnet", "part_of": "genre:Poetry"}]
EVENTS = [
    event("1", "ann", "ode", ts=T0),
    event("2", "ann", "both", ts=T0 + 90 * MS_PER_DAY, kind="purchased", value=math.e - 1),
    event("3", "ann", "sonnet", ts=T0 + 30 * MS_PER_DAY, kind="rated", value=1),
    event("4", "bob", "plain", ts=T0),
    event("5", "ann", "plain", ts=T0 + 95 * MS_PER_DAY),
]


def load(gp: GraphProfile) -> None:
    gp.load(TAGS, kind="tags")
    gp.load(ITEMS, kind="items")
    gp.load(EVENTS)
    gp.update_tags()


def test_scores_are_the_formula_by_hand(gp: GraphProfile) -> None:
    load(gp)
    rows = gp.cypher(
        "MATCH (:User {id: 'ann'})-[r:INTERESTED_IN]->(t:Tag) RETURN t.name AS tag, r.long AS long, "
        "r.short AS short, r.events AS events, r.first_at AS first, r.last_at AS last, r.direct AS direct"
    )
    found = {row["tag"]: row for row in rows}
    assert found.keys() == {"Ode", "Sonnet", "Poetry", "short"}
    ode = found["Ode"]
    assert ode["long"] == pytest.approx(1 * 0.5 * 2**-1 + 4 * 1 * 1)
    assert ode["short"] == pytest.approx(0.5 * 2 ** (-90 / 7) + 4)
    assert (ode["events"], ode["first"], ode["last"], ode["direct"]) == (2, T0, T0 + 90 * MS_PER_DAY, True)
    # Two stars of five are below neutral: the interest is negative.
    assert found["short"]["long"] == pytest.approx(-2)
    # An event counts once for an ancestor, with the largest weight below it.
    poetry = found["Poetry"]
    assert poetry["long"] == pytest.approx(0.5 * 2**-1 + 4 - 2 * 2 ** (-60 / 90))
    assert (poetry["events"], poetry["direct"]) == (3, False)


def test_profile_shares_lift_and_order(gp: GraphProfile) -> None:
    load(gp)
    profile = gp.profile("ann")
    assert profile.as_of == "2024-02-17T22:13:20Z"
    assert profile.events == {"viewed": 2, "purchased": 1, "rated": 1}
    tags = {tag.tag: tag for tag in profile.tags}
    direct = [tags[name] for name in ("Ode", "Sonnet")]
    assert sum(tag.share or 0 for tag in direct) == pytest.approx(1)
    assert [tag.score for tag in profile.tags] == sorted((t.score for t in profile.tags), reverse=True)
    assert tags["Ode"].score == tags["Ode"].long
    assert all(tag.lift is None or tag.lift > 0 for tag in profile.tags if (tag.share or 0) > 0)
    top = gp.cypher("MATCH (u:User {id: 'ann'}) RETURN u.top_tags AS top")[0]["top"]
    assert top == [tag.tag for tag in profile.tags if tag.score > 0]
    assert gp.profile("bob").tags == []


def test_explain_sums_to_the_score(gp: GraphProfile) -> None:
    load(gp)
    for tag in gp.profile("ann").tags:
        found = gp.explain("ann", tag=f"{tag.kind}:{tag.tag}")
        assert math.fsum(path.contribution for path in found.paths) == found.score
        assert found.score == pytest.approx(tag.score, rel=1e-8)
        assert len(found.paths) == tag.events
        assert all(path.batch and path.tags for path in found.paths)
    with pytest.raises(NotFound):
        gp.explain("bob", tag="Ode")
    with pytest.raises(NotFound):
        gp.explain("ann", tag="Opera")
    with pytest.raises(UsageError):
        gp.explain("ann")


def test_a_name_under_two_kinds_must_be_told_apart(gp: GraphProfile) -> None:
    gp.load([{"item_id": "x", "tags": "mood:Ode;genre:Ode"}], kind="items")
    gp.load([event("1", "ann", "x")])
    gp.update_tags()
    with pytest.raises(UsageError, match="ambiguous"):
        gp.explain("ann", tag="Ode")
    assert gp.explain("ann", tag="mood:Ode").tag == "mood:Ode"


def test_sums_by_kind_are_those_of_liked_direct_tags(gp: GraphProfile) -> None:
    load(gp)
    rows = gp.cypher(
        "MATCH (u:User) RETURN u.id AS id, u.interest_kinds AS kinds, u.interest_sums AS sums, u.interests_at AS at"
    )
    found = {row["id"]: row for row in rows}
    # Not Poetry, which is no direct tag, and not the kind of short, which is disliked.
    ode = 1 * 0.5 * 2**-1 + 4
    sonnet = 4 - 2 * 2 ** (-60 / 90)
    assert (found["ann"]["kinds"], found["ann"]["at"]) == (["genre"], T0 + 90 * MS_PER_DAY)
    assert found["ann"]["sums"] == [pytest.approx(ode + sonnet)]
    assert (found["bob"]["kinds"] or [], found["bob"]["at"]) == ([], None)


def test_reading_at_a_past_time_counts_only_what_was_then(gp: GraphProfile, wipe: Wipe) -> None:
    load(gp)
    past = gp.profile("ann", as_of=T0 + 30 * MS_PER_DAY)
    gp = wipe(gp)
    gp.load(TAGS, kind="tags")
    gp.load(ITEMS, kind="items")
    gp.load([e for e in EVENTS if e["timestamp"] <= T0 + 30 * MS_PER_DAY])
    gp.update_tags()
    then = gp.profile("ann")
    assert past.embedding is None
    assert past.events == then.events
    assert [(t.tag, t.events) for t in past.tags] == [(t.tag, t.events) for t in then.tags]
    for a, b in zip(past.tags, then.tags, strict=True):
        assert (a.score, a.short) == pytest.approx((b.score, b.short), rel=1e-8)
        assert a.share == (None if b.share is None else pytest.approx(b.share, rel=1e-8))


def test_only_who_changed_is_recomputed_and_it_equals_a_rebuild(gp: GraphProfile) -> None:
    load(gp)
    assert gp.update_tags().users == 0
    gp.load([event("6", "bob", "ode", ts=T0 - 400 * MS_PER_DAY)])
    assert gp.update_tags().users == 1
    gp.load([{"item_id": "plain", "tags": "new", "updated_at": "2024-01-01"}], kind="items")
    assert gp.update_tags(verify=True).users == 2
    incremental = [gp.profile(user) for user in ("ann", "bob")]
    before = gp.digest()
    assert gp.update_tags(full=True).users == 2
    assert gp.digest() == before
    assert [gp.profile(user) for user in ("ann", "bob")] == incremental


def test_a_tag_taken_off_an_item_leaves_no_trace(gp: GraphProfile) -> None:
    gp.load([{"item_id": "x", "tags": "old", "updated_at": 1_000}], kind="items")
    gp.load([event("1", "ann", "x")])
    gp.update_tags()
    gp.load([{"item_id": "x", "tags": "new", "updated_at": 2_000}], kind="items")
    gp.update_tags()
    assert [tag.tag for tag in gp.profile("ann").tags] == ["new"]
    assert verify_tags(gp.store, gp.vocabulary) <= 1e-9


def test_decades_neither_overflow_nor_vanish(gp: GraphProfile) -> None:
    gp.load([{"item_id": "x", "tags": "t"}], kind="items")
    gp.load([event("1", "ann", "x", ts="1919-11-17"), event("2", "bob", "x", ts="2024-01-01")])
    assert gp.update_tags(verify=True).max_relative_error == 0
    tag = gp.profile("ann").tags[0]
    assert (tag.share, tag.last_at) == (1.0, "1919-11-17T00:00:00Z")
    assert 0 < tag.score < 1e-100


@pytest.mark.parametrize(
    "damage",
    [
        "MATCH ()-[r:INTERESTED_IN]->() WITH r LIMIT 1 SET r.long = r.long + 0.001",
        "MATCH ()-[r:INTERESTED_IN]->() WITH r LIMIT 1 SET r.events = r.events + 1",
        "MATCH ()-[r:INTERESTED_IN]->() WITH r LIMIT 1 DELETE r",
        "MATCH (t:Tag {name: 'Ode'}) SET t.interest_events = t.interest_events + 1",
        "MATCH (:User {id: 'ann'})-[e:VIEWED]->(:Item {id: 'ode'}) DELETE e",
        "MATCH (u:User {id: 'ann'}) SET u.interest_sums = [s IN u.interest_sums | s * 1.001]",
        "MATCH (u:User {id: 'ann'}) SET u.interest_kinds = ['other']",
        "MATCH (u:User {id: 'ann'}) SET u.interests_at = null",
        "MATCH (u:User {id: 'ann'}) SET u.interest_kinds = null, u.interest_sums = null",
    ],
)
def test_verify_finds_damage(gp: GraphProfile, damage: str) -> None:
    load(gp)
    gp.cypher(damage, read_only=False)
    found = gp.update_tags(verify=True).max_relative_error
    assert found is not None
    assert found > 1e-9


def test_every_default_event_counts(gp: GraphProfile) -> None:
    gp.load([{"item_id": "x", "tags": "t"}], kind="items")
    rows = [event(name, "ann", "x", kind=name, value=2.0) for name in DEFAULT_EVENTS]
    assert gp.load(rows).applied == len(DEFAULT_EVENTS)
    assert gp.update_tags(verify=True).max_relative_error == pytest.approx(0, abs=1e-9)
    assert gp.profile("ann").tags[0].events == len(DEFAULT_EVENTS)


def test_unknown_users_get_a_hint(gp: GraphProfile) -> None:
    load(gp)
    with pytest.raises(NotFound) as caught:
        gp.profile("anne")
    assert "ann" in str(caught.value.hint)
    with pytest.raises(UsageError):
        gp.profile("ann", as_of="yesterday-ish")


@pytest.mark.parametrize("meanwhile", ["an event", "another process", "removed and back"])
def test_what_changes_between_computing_and_writing_is_not_lost(
    gp: GraphProfile, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    load(gp)
    first = gp.load([event("6", "ann", "ode", ts=T0), event("7", "eve", "ode", ts=T0)])
    write, begun = tags._Recompute._write, []

    def interrupted(self: tags._Recompute, computed: Sequence[tags.Computed]) -> None:
        if not begun:
            begun.append(True)
            if meanwhile == "an event":
                gp.load([event("8", "ann", "sonnet", ts=T0)])
            elif meanwhile == "another process":
                assert update_tags(gp.store, gp.vocabulary).users == 2
            else:
                gp.undo(first.batch)
                gp.load([event("9", "eve", "sonnet", ts=T0)])
        write(self, computed)

    monkeypatch.setattr(tags._Recompute, "_write", interrupted)
    gp.update_tags()
    assert begun
    assert gp.status()["users_awaiting_tags"] == 0
    assert verify_tags(gp.store, gp.vocabulary) <= 1e-9
    eve = gp.cypher("MATCH (:User {id: 'eve'})-[r:INTERESTED_IN]->(t) RETURN t.name AS tag ORDER BY tag")
    expected = ["Poetry", "Sonnet", "short"] if meanwhile == "removed and back" else ["Ode", "Poetry"]
    assert [row["tag"] for row in eve] == expected


def test_users_made_by_a_load_are_told_from_those_before_by_their_revision(gp: GraphProfile) -> None:
    gp.load([{"user_id": "described"}], kind="users")
    gp.load(
        [
            event("1", "actor", "ode", ts=T0),
            event("2", "actor", "followed", kind="followed", object_kind="user"),
        ]
    )
    rows = gp.cypher(
        "MATCH (u:User) RETURN u.id AS id, u.rev AS rev, u.tags_rev AS tags_rev, u.tags_due AS due"
    )
    found = {row["id"]: row for row in rows}
    assert all(row["rev"] > T0 for row in rows)
    assert all(found[name]["tags_rev"] == found[name]["rev"] for name in ("described", "followed"))
    assert (found["actor"]["tags_rev"], found["actor"]["due"]) == (None, "actor")


def test_users_made_past_the_loader_are_computed_once_and_for_all(gp: GraphProfile) -> None:
    load(gp)
    gp.cypher(
        "MATCH (i:Item {id: 'ode'}) CREATE (:User {id: 'eve'})-[:VIEWED {event_id: 'own', ts: $ts}]->(i)",
        {"ts": T0},
        read_only=False,
    )
    assert gp.update_tags(full=True).users == 3
    assert gp.update_tags().users == 0
    assert [tag.tag for tag in gp.profile("eve").tags] == ["Ode", "Poetry"]
    # What an item is tagged with concerns them like everybody.
    gp.load([{"item_id": "ode", "tags": "genre:Sonnet", "updated_at": T0}], kind="items")
    assert gp.update_tags(verify=True).max_relative_error == pytest.approx(0, abs=1e-9)
    assert {tag.tag for tag in gp.profile("eve").tags} >= {"Sonnet", "Poetry"}
