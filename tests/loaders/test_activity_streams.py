"""Activity Streams 2.0: the working group's test documents, and activities of the same form for each decision."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphprofile.loaders.activity_objects import ACTORS, COLLECTIONS, OBJECTS, plain_text
from graphprofile.loaders.activity_streams import (
    EVENTS,
    LEFT_OUT,
    NOBODY,
    NOTHING_SAID,
    ActivityStreamsLoader,
)

from graphprofile.errors import SourceError
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.read import expand_paths, read_checked
from graphprofile.testing import Loaded, LoaderContract
from graphprofile.vocabulary import DEFAULT_EVENTS, Vocabulary

SAMPLES = Path(__file__).parent / "samples" / "activity-streams"
PAGE = Path(__file__).parents[2] / "docs" / "loaders" / "activity-streams.md"
SALLY = {"type": "Person", "id": "http://sally.example.org", "name": "Sally", "preferredUsername": "sally"}
JOHN = "http://john.example.org"
LINK = {"type": "Link", "href": "http://example.org/v.mkv", "mediaType": "video/mkv"}
NOTE = {
    "id": "http://example.org/notes/1",
    "type": "Note",
    "nameMap": {"fr": "Une note", "en-GB": "A note"},
    "content": "<p>Cats &amp; <b>dogs</b></p><p>and  <i>birds</i></p>",
    "attributedTo": JOHN,
    "tag": [
        {"type": "Hashtag", "name": "#Cats", "href": "http://example.org/tags/cats"},
        {"type": "Mention", "name": "@sally", "href": "http://sally.example.org"},
        {"type": "Place", "name": "Work"},
        {"type": "Hashtag", "name": "#cats"},
        {"type": "Person", "name": "Sally"},
    ],
    "published": "2015-01-01T00:00:00Z",
    "updated": "2015-02-01T00:00:00Z",
}


def activity(number: int, kind: Any = "Like", **fields: Any) -> dict[str, Any]:
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"http://example.org/activities/{number}",
        "type": kind,
        "actor": "http://sally.example.org",
        "object": f"http://example.org/notes/{number}",
        "published": f"2015-02-10T15:04:{number:02}Z",
        **fields,
    }


SAMPLE = [
    activity(1, object=NOTE),
    activity(2, "Follow", object=JOHN, actor=SALLY),
    activity(3, "Announce"),
    activity(4, ["Read", "http://schema.org/ReadAction"]),
    activity(5, "Undo", object=activity(3, "Announce")),
    activity(6, "Undo", object="http://example.org/activities/99"),
    activity(7, "View", object=["http://example.org/a", "http://example.org/b"]),
    {**activity(8, "Dislike"), "id": None},
    activity(9, "Block", object=JOHN),
    NOTE,
    SALLY,
    activity(11, "Create", object=NOTE),
    activity(12, actor=None),
    activity(13, object={"type": "Note", "content": "A simple note"}),
    activity(14, published="2015-02-10T15:04:14"),
    activity(15, object={**NOTE, "name": {"en": "A note"}}),
    {"type": "OrderedCollection", "totalItems": 3, "first": "http://example.org/outbox?page=1"},
    activity(16, "Undo", object={"type": "Waved", "id": "http://example.org/activities/98"}),
    activity(17, "https://www.w3.org/ns/activitystreams#Add", target="http://example.org/album/"),
]
GONE = "http://example.org/activities"


def lines(rows: list[Any]) -> bytes:
    return b"".join(orjson.dumps(one) + b"\n" for one in rows)


class TestContract(LoaderContract):
    loader = ActivityStreamsLoader
    files = {"outbox.jsonl": lines(SAMPLE)}
    good = {"events": 9, "retracted": 1 + len(DEFAULT_EVENTS), "users": 1, "content": 1}
    refused = [
        ("events", "outbox.jsonl", 12, "event_type"),
        ("events", "outbox.jsonl", 13, "actor"),
        ("events", "outbox.jsonl", 14, "object.id"),
        ("events", "outbox.jsonl", 15, "published"),
        ("events", "outbox.jsonl", 17, "items"),
        ("retracted", "outbox.jsonl", 18, "event_type"),
        ("content", "outbox.jsonl", 15, "published"),
        ("content", "outbox.jsonl", 16, "object.name"),
        ("users", "outbox.jsonl", 15, "published"),
    ]
    skipped = {
        "events": {
            "Block: no event of the vocabulary": 1,
            "Note: an object, no activity": 1,
            "Person: an object, no activity": 1,
        },
        "users": {NOBODY: 16},
        "content": {NOTHING_SAID: 14},
    }


class TestArray(TestContract):
    files = {"outbox.json": orjson.dumps(SAMPLE, option=orjson.OPT_INDENT_2)}
    refused = [(kind, "outbox.json", line, field) for kind, _, line, field in TestContract.refused]


class TestCollection(TestContract):
    files = {
        "outbox.json": orjson.dumps({"type": "OrderedCollection", "orderedItems": SAMPLE, "totalItems": 18})
    }
    refused = TestArray.refused


class TestFirstPage(TestContract):
    files = {
        "outbox.json": orjson.dumps(
            {
                "type": "Collection",
                "first": {"type": "CollectionPage", "items": SAMPLE, "next": "http://a/2"},
            },
            option=orjson.OPT_INDENT_2,
        )
    }
    refused = TestArray.refused


def load(folder: Path, *rows: Any) -> Loaded:
    path = folder / "outbox.jsonl"
    path.write_bytes(lines(list(rows)))
    return Loaded.of(ActivityStreamsLoader(), expand_paths([path]))


def events(folder: Path, *rows: Any) -> list[tuple[str, str, str, str, str]]:
    names = ("type", "event_id", "user_id", "object_id", "object_kind")
    return [tuple(row[name] for name in names) for row in load(folder, *rows).rows["events"]]  # type: ignore[misc]


# --- the specification ----------------------------------------------------------------------------------------


def test_the_documents_of_the_working_group() -> None:
    """Most of them have no time, and many actors no id: they say so, and what they describe is taken."""
    loaded = Loaded.of(ActivityStreamsLoader(), [SAMPLES / "examples.jsonl"])
    assert [(row["type"], row["user_id"], row["object_id"]) for row in loaded.rows["events"]] == [
        ("LIKED", "http://example.org/profiles/joe", "http://example.com/notes/1"),
        ("SAVED", "http://www.test.example/martin", "http://www.test.example/blog/abc123/xyz"),
        ("LIKED", "http://example.org/profiles/joe", "http://example.com/notes/1"),
    ]
    assert len(loaded.withdrawals()) == 1
    assert {one.field for one in loaded.rejected["events"]} == {"published", "items", "type", "orderedItems"}
    assert {row.properties.get("name") for row in loaded.rows["users"]} >= {"Sally Smith", "Martin Smith"}
    content = {row.id: row.properties for row in loaded.rows["content"]}
    assert content["http://example.org/note/123"] == {
        "object_type": "Note",
        "text": "I feel that the weather is appropriate to our season and location.",
        "title": "Our Weather Is Fine",
    }
    # simple0011 and simple0012 of the corpus have an object of languages as their name.
    assert [(one.line, one.field) for one in loaded.rejected["content"]] == [(36, "name"), (37, "name")]


def test_the_bad_documents_of_the_working_group() -> None:
    loaded = Loaded.of(ActivityStreamsLoader(), [SAMPLES / "bad.jsonl"])
    assert not loaded.events()
    refused = {one.field for rows in loaded.rejected.values() for one in rows}
    assert refused == {"items", "orderedItems", "type", "content", "id", "name", "url"}


def test_what_the_page_declares_is_loaded(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    rules = tomllib.loads(block)["events"]
    assert set(EVENTS.values()) <= DEFAULT_EVENTS.keys() | rules.keys()
    declared = Vocabulary.model_validate({"events": {**DEFAULT_EVENTS, **rules}})
    rows = [
        activity(1, "Create"),
        activity(2, "Listen"),
        activity(3, "Join", object={"type": "Group", "id": JOHN}),
    ]
    (chunk,) = read_checked(rows, ActivityStreamsLoader(), "events", Mapping(), declared)
    assert chunk.rejected == []
    assert chunk.read == len(rules) == 3


def test_no_type_is_of_two_sorts() -> None:
    assert not EVENTS.keys() & (LEFT_OUT | ACTORS | OBJECTS | COLLECTIONS)
    assert {"Question"} == LEFT_OUT & (ACTORS | OBJECTS | COLLECTIONS)


# --- events ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("thing", "kind", "expected"),
    [
        (JOHN, "Follow", (JOHN, "user")),
        ({"type": "Person", "id": JOHN}, "Follow", (JOHN, "user")),
        ({"type": "Link", "href": JOHN}, "Follow", (JOHN, "user")),
        ({"type": "as:Note", "id": "http://example.org/n"}, "Follow", ("http://example.org/n", "content")),
        ({"id": "http://example.org/n"}, "Like", ("http://example.org/n", "content")),
        ({"type": "Video", "url": "http://example.org/v"}, "View", ("http://example.org/v", "content")),
        (
            {"type": "Video", "url": [LINK, "http://example.org/w"]},
            "View",
            ("http://example.org/v.mkv", "content"),
        ),
    ],
)
def test_an_object_is_its_id_else_its_address(
    tmp_path: Path, thing: Any, kind: str, expected: tuple[str, str]
) -> None:
    ((_, _, _, *found),) = events(tmp_path, activity(1, kind, object=thing))
    assert tuple(found) == expected


def test_several_actors_and_objects_are_an_event_each(tmp_path: Path) -> None:
    several = activity(1, actor=[JOHN, SALLY], object=["http://example.org/a", "http://example.org/b"])
    found = events(tmp_path, several)
    assert {(user, thing) for _, _, user, thing, _ in found} == {
        (user, f"http://example.org/{name}") for user in (JOHN, SALLY["id"]) for name in "ab"
    }
    assert len({event_id for _, event_id, *_ in found}) == 4
    turned = {**several, "actor": several["actor"][::-1], "object": several["object"][::-1]}
    assert set(events(tmp_path, turned)) == set(found)
    loaded = load(tmp_path, activity(1, object=["http://example.org/a", {"type": "Note"}, 5]))
    assert [row["object_id"] for row in loaded.rows["events"]] == ["http://example.org/a"]
    assert [one.field for one in loaded.rejected["events"]] == ["object[1].id"]
    many = [f"http://example.org/{n}" for n in range(10_001)]
    assert load(tmp_path, activity(1, object=many)).rejected["events"][0].field == "object"


def test_an_activity_without_id_gets_one_from_what_it_says(tmp_path: Path) -> None:
    bare = activity(1)
    del bare["id"]
    other = {**bare, "published": "2016-01-01T00:00:00Z"}
    found = events(tmp_path, bare, bare, other, {**bare, "type": "View"})
    ids = [event_id for _, event_id, *_ in found]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert all(re.fullmatch("activity:[0-9a-f]{32}", one) for one in ids)
    embedded = {**bare, "actor": SALLY, "object": {**NOTE, "id": bare["object"]}}
    assert events(tmp_path, embedded) == found[:1]
    # What is undone may be told instead of named.
    gone = load(tmp_path, activity(2, "Undo", object=embedded)).withdrawals()
    assert gone == {("LIKED", ids[0])}


def test_what_is_undone_is_withdrawn_by_type_and_id(tmp_path: Path) -> None:
    def withdrawn(thing: Any) -> set[tuple[str, str]]:
        loaded = load(tmp_path, activity(9, "Undo", object=thing))
        assert not loaded.rejected["events"]
        return loaded.withdrawals()

    assert withdrawn(activity(1)) == {("LIKED", f"{GONE}/1")}
    assert withdrawn({"type": "Follow", "id": f"{GONE}/2"}) == {("FOLLOWED", f"{GONE}/2")}
    anything = {(rule.type, f"{GONE}/3") for rule in DEFAULT_EVENTS.values()}
    assert withdrawn(f"{GONE}/3") == withdrawn({"id": f"{GONE}/3"}) == anything
    assert withdrawn([activity(1), f"{GONE}/3"]) == {("LIKED", f"{GONE}/1")} | anything
    two = activity(4, object=["http://example.org/a", "http://example.org/b"])
    assert withdrawn(two) == {("LIKED", event_id) for _, event_id, *_ in events(tmp_path, two)}
    assert load(tmp_path, activity(9, "Undo", object=activity(5, "Block"))).skipped["events"] == {
        "Undo of Block: no event of the vocabulary": 1
    }


def test_of_several_types_the_first_known_counts(tmp_path: Path) -> None:
    assert events(tmp_path, activity(1, ["http://schema.org/LikeAction", "Like"]))[0][0] == "LIKED"
    (refused,) = load(tmp_path, activity(1, ["Activity", "http://www.verbs.example/Check"])).rejected[
        "events"
    ]
    assert '[events.Check]\ntype = "CHECK"' in refused.reason


def test_times(tmp_path: Path) -> None:
    def ts(**fields: Any) -> int:
        (row,) = load(tmp_path, activity(1, **fields)).rows["events"]
        return int(row["ts"])

    assert ts(published="2015-12-12T12:34Z") == 1_449_923_640_000
    assert ts(published="2015-12-12T13:34:56.5+01:00") == 1_449_923_696_500
    assert ts(published=None, startTime="2015-12-12T12:34:00Z") == 1_449_923_640_000
    assert ts(published=None, updated="2015-12-12T12:34:00Z") == 1_449_923_640_000


# --- descriptions ---------------------------------------------------------------------------------------------


def test_objects_are_described_in_plain_text(tmp_path: Path) -> None:
    (content,) = load(tmp_path, activity(1, object=NOTE)).rows["content"]
    assert (content.id, content.updated_at) == (NOTE["id"], 1_422_748_800_000)
    assert content.properties == {
        "title": "A note",
        "text": "Cats & dogs\nand birds",
        "object_type": "Note",
        "author": JOHN,
        "published": "2015-01-01T00:00:00Z",
    }
    assert content.tags == [("hashtag", "cats", 1.0), ("about", "Work", 1.0)]
    (video,) = load(
        tmp_path, activity(1, object={**NOTE, "mediaType": "text/markdown", "duration": "PT2H"})
    ).rows["content"]
    assert video.properties["text"] == NOTE["content"]
    assert video.properties["duration_seconds"] == 7200.0


def test_markup_without_end_is_no_slower_than_its_length() -> None:
    assert plain_text("<" * 1_000_000, None) == "<" * 1_000_000
    assert plain_text("a < b", "text/plain") == "a < b"


def test_actors_are_described(tmp_path: Path) -> None:
    loaded = load(tmp_path, activity(1, actor=SALLY), activity(2, "Update", object={**SALLY, "name": "S."}))
    assert [(row.id, row.properties, row.updated_at) for row in loaded.rows["users"]] == [
        (SALLY["id"], {"name": name, "preferred_username": "sally", "actor_type": "Person"}, at)
        for name, at in (("Sally", 1_423_580_641_000), ("S.", 1_423_580_642_000))
    ]


# --- bad input ------------------------------------------------------------------------------------------------


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"object": [value]}
    return value


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": None}, "type"),
        ({"type": 16}, "type"),
        ({"type": ["Like", 16]}, "type"),
        ({"type": {"a": 1}}, "type"),
        ({"actor": None}, "actor"),
        ({"actor": []}, "actor"),
        ({"actor": 90}, "actor"),
        ({"actor": "sally"}, "actor"),
        ({"actor": {"type": "Person", "name": "Sally"}}, "actor.id"),
        ({"actor": {"id": 4}}, "actor.id"),
        ({"actor": "http://" + "x" * 2_000}, "user_id"),
        ({"object": None}, "object"),
        ({"object": 23}, "object"),
        ({"object": "images/sally.jpg"}, "object"),
        ({"object": {"type": "Note"}}, "object.id"),
        ({"object": {"type": "Note", "url": 5}}, "object.url"),
        ({"object": {"type": 5, "id": "http://a"}}, "object.type"),
        ({"object": [[]]}, "object.id"),
        ({"id": 4}, "id"),
        ({"id": "one"}, "id"),
        ({"id": "http://a b"}, "id"),
        ({"target": 5}, "target"),
        ({"published": None}, "published"),
        ({"published": 1_423_580_641}, "published"),
        ({"published": "2015-02-10T15:04:55"}, "published"),
        ({"published": "2015-02-10"}, "published"),
        ({"published": "2015-02-31T15:04:55Z"}, "timestamp"),
        ({"published": "2999-02-10T15:04:55Z"}, "timestamp"),
        ({"type": "Waved"}, "event_type"),
        ({"type": "Like", "object": SALLY}, "object_kind"),
        ({"type": "Undo", "object": None}, "object"),
        ({"type": "Undo", "object": {"name": "?"}}, "object.id"),
        ({"type": "Undo", "object": {"type": "Like"}}, "object.id"),
        ({"type": "Undo", "object": {"type": "Like", "actor": JOHN, "object": JOHN}}, "actor"),
        ({"type": "Undo", "object": {"type": "Waved", "id": "http://a"}}, "event_type"),
        ({"type": "Collection"}, "items"),
    ],
)
def test_what_is_wrong_is_named_and_costs_its_activity_only(
    tmp_path: Path, fields: dict[str, Any], field: str
) -> None:
    loaded = load(tmp_path, activity(1, **fields), activity(2))
    (refused,) = [one for kind in ("events", "retracted") for one in loaded.rejected.get(kind, ())]
    assert (refused.line, refused.field) == (1, field)
    assert len(refused.reason) > 5
    assert [row["event_id"] for row in loaded.rows["events"]] == [f"{GONE}/2"]


def test_nesting_without_end_costs_its_activity_only(tmp_path: Path) -> None:
    rows = [
        activity(1, object=deep(500)),
        activity(2, actor=deep(500)),
        activity(3, tag=deep(500)),
        activity(4),
    ]
    loaded = Loaded()
    for kind in ("events", "content", "users"):
        loaded.add(ActivityStreamsLoader(), rows, kind)  # type: ignore[arg-type]
    assert [row["event_id"] for row in loaded.rows["events"]] == [f"{GONE}/3", f"{GONE}/4"]
    assert [(one.line, one.field) for one in loaded.rejected["events"]] == [(1, "object.id"), (2, "actor.id")]
    lists: Any = "http://a"
    for _ in range(2_000):
        lists = [lists]
    chunk = Loaded()
    chunk.add(ActivityStreamsLoader(), [activity(1, object=lists), activity(2)], "events")
    assert [row["event_id"] for row in chunk.rows["events"]] == [f"{GONE}/2"]


@pytest.mark.parametrize(
    ("thing", "field"),
    [
        ({"name": 1}, "object.name"),
        ({"nameMap": "A note"}, "object.nameMap"),
        ({"content": None, "contentMap": {"en": 5}}, "object.contentMap.en"),
        ({"mediaType": []}, "object.mediaType"),
        ({"tag": 5}, "object.tag[0]"),
        ({"tag": [{"name": {}}]}, "object.tag[0].name"),
        ({"duration": "2 hours"}, "object.duration"),
        ({"updated": "yesterday"}, "updated"),
        ({"attributedTo": 7}, "object.attributedTo"),
    ],
)
def test_a_bad_object_costs_the_description_and_not_the_event(
    tmp_path: Path, thing: dict[str, Any], field: str
) -> None:
    loaded = load(tmp_path, activity(1, object={**NOTE, **thing}))
    assert [one.field for one in loaded.rejected["content"]] == [field]
    assert len(loaded.rows["events"]) == 1


def test_what_activities_do_not_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Activities hold no items"):
        ActivityStreamsLoader().sources([tmp_path / "outbox.json"], "items")
