"""xAPI statements: the specification's own examples, and statements of the same form for each decision."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphprofile.loaders.xapi import NO_NAME, NOT_AN_ACTIVITY, XapiLoader
from graphprofile.loaders.xapi_verbs import LEFT_OUT, VERBS

from graphprofile.errors import SourceError
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.read import expand_paths, read_checked
from graphprofile.testing import Loaded, LoaderContract
from graphprofile.vocabulary import DEFAULT_EVENTS, Vocabulary

SPECIFICATION = Path(__file__).parent / "samples" / "xapi" / "statements.jsonl"
PAGE = Path(__file__).parents[2] / "docs" / "loaders" / "xapi.md"
ADL = "http://adlnet.gov/expapi/verbs/"
SUM = "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"
ANN = {"mbox": "mailto:Ann@Example.com", "name": "Ann"}
BOB = {"account": {"homePage": "https://lms.example.com", "name": "17"}, "objectType": "Agent"}
TEAM = {"objectType": "Group", "member": [ANN, {**BOB, "name": "Bob"}]}
COURSE = {
    "id": "https://example.com/courses/algebra",
    "definition": {
        "name": {"fr-FR": "Algèbre", "en-US": "Algebra"},
        "description": {"de": "Gleichungen"},
        "type": "http://adlnet.gov/expapi/activities/course",
        "extensions": {"https://example.com/ext/room": {"n": 1}, "https://example.com/ext/level": 3},
    },
}
AROUND = {
    "contextActivities": {
        "category": [
            {"id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"},
            {
                "id": "https://example.com/profile",
                "definition": {"type": "http://id.tincanapi.com/activitytype/source"},
            },
            {"id": "https://example.com/maths", "definition": {"name": {"en": "Mathematics"}}},
        ],
        "parent": {"id": "https://example.com/courses"},
        "grouping": [{"id": "https://example.com/year1", "definition": {"name": {"en": "First year"}}}],
    },
    "registration": "EC531277-b57b-4c15-8d91-d292c5b2b8f7",
    "platform": "Moodle",
}


def uuid(number: int) -> str:
    return f"fd41c918-b88b-4b20-a0a5-{number:012}"


def statement(number: int, did: str = "experienced", **fields: Any) -> dict[str, Any]:
    return {
        "id": uuid(number),
        "actor": ANN,
        "verb": {"id": did if ":" in did else ADL + did, "display": {"en-US": "did"}},
        "object": {"id": f"https://example.com/pages/{number}"},
        "timestamp": f"2015-11-18T12:17:{number:02}+00:00",
        **fields,
    }


SAMPLE = [
    statement(1),
    statement(
        2, "completed", object=COURSE, context=AROUND, result={"success": True, "score": {"scaled": 0.5}}
    ),
    statement(3, "attended", actor=TEAM),
    statement(4, "http://activitystrea.ms/schema/1.0/follow", object={**BOB, "name": "Bob"}),
    statement(5, "voided", object={"objectType": "StatementRef", "id": uuid(99)}),
    statement(6, "http://example.com/commented", object={"objectType": "StatementRef", "id": uuid(1)}),
    statement(7, "terminated"),
    {**statement(8), "id": None},
    statement(9, timestamp=None, stored="2015-11-18T12:17:09Z"),
    statement(10, "passed"),
    statement(11, actor=None),
    statement(12, "http://example.com/xapi/verbs/viewed"),
    statement(13, object={"id": "page"}),
    statement(14, actor={"mbox": "mailto:a@b.c", "openid": "http://a.example.com"}),
    statement(15, result={"score": {"raw": "5"}}),
    statement(16, object={**COURSE, "definition": {"name": "Algebra"}}),
    statement(17, actor={"objectType": "Group", "member": [{"name": "?"}, BOB]}),
    {"statements": [statement(18)]},
]


def lines(statements: list[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(one) + b"\n" for one in statements)


class TestContract(LoaderContract):
    loader = XapiLoader
    files = {"statements.jsonl": lines(SAMPLE)}
    good = {"events": 10, "retracted": len(DEFAULT_EVENTS), "users": 2, "content": 1}
    refused = [
        ("events", "statements.jsonl", 10, "event_type"),
        ("events", "statements.jsonl", 11, "actor"),
        ("events", "statements.jsonl", 13, "object.id"),
        ("events", "statements.jsonl", 14, "actor"),
        ("events", "statements.jsonl", 15, "result.score.raw"),
        ("events", "statements.jsonl", 17, "actor.member[0]"),
        ("events", "statements.jsonl", 18, "statements"),
        ("content", "statements.jsonl", 16, "object.definition.name"),
    ]
    skipped = {
        "events": {
            "terminated: no event of the vocabulary": 1,
            "StatementRef: about a statement, not about a thing": 1,
        },
        "users": {NO_NAME: 4},
        "content": {NOT_AN_ACTIVITY: 16},
    }


class TestArray(TestContract):
    files = {"statements.json": orjson.dumps(SAMPLE, option=orjson.OPT_INDENT_2)}
    refused = [(kind, "statements.json", line, field) for kind, _, line, field in TestContract.refused]


class TestAnswer(TestContract):
    files = {"answer.json": orjson.dumps({"more": "/xapi/more/1", "statements": SAMPLE})}
    refused = [(kind, "answer.json", line, field) for kind, _, line, field in TestContract.refused]


class TestPages(TestContract):
    files = {
        "pages.json": orjson.dumps({"statements": SAMPLE[:9], "more": "/xapi/more/1"})
        + b"\n"
        + orjson.dumps({"statements": SAMPLE[9:], "more": ""})
    }
    refused = [(kind, "pages.json", line, field) for kind, _, line, field in TestContract.refused]


def load(folder: Path, *statements: dict[str, Any]) -> Loaded:
    path = folder / "statements.jsonl"
    path.write_bytes(lines(list(statements)))
    return Loaded.of(XapiLoader(), expand_paths([path]))


def event(folder: Path, one: dict[str, Any], *names: str) -> tuple[Any, ...]:
    (row,) = load(folder, one).rows["events"]
    return tuple(row[name] for name in names)


def refusal(folder: Path, **fields: Any) -> tuple[str, str]:
    loaded = load(folder, statement(1, **fields), statement(2))
    (refused,) = loaded.rejected["events"]
    assert refused.line == 1
    assert [row["event_id"] for row in loaded.rows["events"]] == [uuid(2)]
    return refused.field, refused.reason


# --- the specification ----------------------------------------------------------------------------------------


def test_the_examples_of_the_specification() -> None:
    loaded = Loaded.of(XapiLoader(), [SPECIFICATION])
    assert [(row["type"], row["event_id"], row["user_id"]) for row in loaded.rows["events"]] == [
        ("VISITED", "6690e6c9-3ef0-4ed3-8b37-7f3964730bee", "teampb@example.com"),
        ("VIEWED", "33cff416-e331-4c9d-969e-5373a1756120", "example@example.com"),
    ]
    assert loaded.withdrawals() == {
        (rule.type, "e05aa883-acaf-40ad-bf54-02c8ce485fb0") for rule in DEFAULT_EVENTS.values()
    }
    # A verb that the vocabulary has no word for, and two that no registry knows.
    assert [(one.line, one.field) for one in loaded.rejected["events"]] == [
        (2, "event_type"),
        (5, "event_type"),
        (6, "event_type"),
    ]
    assert loaded.skipped["events"].total() == 2
    meeting = {row.id: row for row in loaded.rows["content"]}[
        "http://www.example.com/meetings/occurances/34534"
    ]
    assert meeting.tags == [
        ("activity-type", "meeting", 1.0),
        ("category", "team meeting", 1.0),
        ("parent", "http://www.example.com/meetings/series/267", 1.0),
    ]
    assert meeting.properties["ext_room"] == '{"id": "http://example.com/rooms/342", "name": "Kilby"}'
    assert {row.id for row in loaded.rows["users"]} >= {
        "13936749@http://www.example.com",
        "http://toby.openid.example.org/",
        "mbox_sha1sum:ebd31e95054c018b10727ccffd2ef2ec3a016ee9",
    }


def test_what_the_page_declares_is_loaded() -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    rules = tomllib.loads(block)["events"]
    declared = Vocabulary.model_validate({"events": {**DEFAULT_EVENTS, **rules}})
    verbs = [statement(n, name, result={"score": {"scaled": 0.5}}) for n, name in enumerate(rules)]
    (chunk,) = read_checked(verbs, XapiLoader(), "events", Mapping(), declared)
    assert chunk.rejected == []
    assert chunk.read == len(rules) >= 5


# --- who, what, when ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actor", "user"),
    [
        (ANN, "ann@example.com"),
        ({"mbox": "MAILTO:bob@example.com"}, "bob@example.com"),
        (BOB, "17@https://lms.example.com"),
        ({"openid": "http://toby.openid.example.org/"}, "http://toby.openid.example.org/"),
        ({"mbox_sha1sum": "EBD31E95054C018B10727CCFFD2EF2EC3A016EE9"}, f"mbox_sha1sum:{SUM}"),
        ({"objectType": "Group", "mbox": "mailto:t@example.com", "member": [ANN]}, "t@example.com"),
    ],
)
def test_an_actor_is_what_identifies_it(tmp_path: Path, actor: Any, user: str) -> None:
    assert event(tmp_path, statement(1, actor=actor), "user_id", "event_id") == (user, uuid(1))


def test_what_an_anonymous_group_did_each_member_did(tmp_path: Path) -> None:
    both = {(f"{uuid(3)}:{user}", user) for user in ("ann@example.com", "17@https://lms.example.com")}
    for members in (TEAM["member"], TEAM["member"][::-1], [*TEAM["member"], ANN]):
        loaded = load(tmp_path, statement(3, actor={"objectType": "Group", "member": members}))
        assert {(row["event_id"], row["user_id"]) for row in loaded.rows["events"]} == both
    loaded = load(tmp_path, statement(3, actor={"objectType": "Group", "member": [7, ANN]}))
    assert [row["user_id"] for row in loaded.rows["events"]] == ["ann@example.com"]
    assert loaded.rejected["events"][0].field == "actor.member[0]"
    many = [{"mbox": f"mailto:u{n}@example.com"} for n in range(10_001)]
    assert refusal(tmp_path, actor={"objectType": "Group", "member": many})[0] == "actor.member"


def test_verbs_are_those_of_the_vocabulary_or_declared() -> None:
    assert set(VERBS.values()) <= DEFAULT_EVENTS.keys()
    assert not LEFT_OUT & VERBS.keys()


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        ("http://adlnet.gov/expapi/verbs/initialized", "VIEWED"),
        ("https://w3id.org/xapi/adl/verbs/launched", "CLICKED"),
        (" http://id.tincanapi.com/verb/bookmarked ", "SAVED"),
        ("http://activitystrea.ms/schema/1.0/like", "LIKED"),
        ("https://w3id.org/xapi/video/verbs/played", "WATCHED"),
        ("http://example.com/verbs#read", "READ"),
    ],
)
def test_a_verb_is_its_iri(tmp_path: Path, verb: str, kind: str) -> None:
    assert event(tmp_path, statement(1, verb), "type", "object_kind") == (kind, "content")


def test_an_unknown_verb_says_what_would_declare_it(tmp_path: Path) -> None:
    field, reason = refusal(tmp_path, verb={"id": "http://adlnet.gov/expapi/verbs/passed"})
    assert field == "event_type"
    assert '[events.passed]\ntype = "PASSED"' in reason


def test_a_person_may_be_followed_and_not_viewed(tmp_path: Path) -> None:
    follow = statement(4, "http://activitystrea.ms/schema/1.0/follow", object=BOB)
    assert event(tmp_path, follow, "type", "object_id", "object_kind") == (
        *("FOLLOWED", "17@https://lms.example.com", "user"),
    )
    assert refusal(tmp_path, object=BOB) == ("object_kind", "VIEWED takes item or content, not user")


def test_results_are_value_and_properties(tmp_path: Path) -> None:
    score = {"scaled": 0.95, "raw": 3, "min": 0, "max": 5}
    result = {"score": score, "success": True, "completion": False, "response": "a", "duration": "PT1H0.5S"}
    result["extensions"] = {
        "https://w3id.org/xapi/video/extensions/time": 12.5,
        "http://a/x": 1,
        "http://b/x": 2,
    }
    value, text = event(tmp_path, statement(1, result=result, context=AROUND), "value", "properties")
    assert value == 0.95
    assert orjson.loads(text) == {
        **{"score_scaled": 0.95, "score_raw": 3.0, "score_min": 0.0, "score_max": 5.0},
        **{"success": True, "completion": False, "response": "a", "duration_seconds": 3600.5},
        **{"ext_time": 12.5, "ext_http___a_x": 1, "ext_http___b_x": 2, "verb": ADL + "experienced"},
        **{"registration": "ec531277-b57b-4c15-8d91-d292c5b2b8f7", "platform": "Moodle"},
    }
    rated = statement(1, "http://id.tincanapi.com/verb/rated", result={"score": score})
    assert event(tmp_path, rated, "type", "value") == ("RATED", 3.0)
    years = orjson.loads(event(tmp_path, statement(1, result={"duration": "P3Y"}), "properties")[0])
    assert years["duration"] == "P3Y"
    weeks = orjson.loads(event(tmp_path, statement(1, result={"duration": "P4W"}), "properties")[0])
    assert weeks["duration_seconds"] == 4 * 604_800


def test_activities_are_described_with_tags(tmp_path: Path) -> None:
    (content,) = load(tmp_path, statement(2, object=COURSE, context=AROUND)).rows["content"]
    assert content.id == COURSE["id"]
    assert content.updated_at == 1_447_849_022_000
    assert content.properties == {
        "title": "Algebra",
        "text": "Gleichungen",
        "activity_type": "http://adlnet.gov/expapi/activities/course",
        "ext_room": '{"n": 1}',
        "ext_level": 3,
    }
    assert content.tags == [
        ("activity-type", "course", 1.0),
        ("category", "Mathematics", 1.0),
        ("grouping", "First year", 1.0),
        ("parent", "https://example.com/courses", 1.0),
    ]


def test_times_and_ids(tmp_path: Path) -> None:
    assert event(tmp_path, statement(1, timestamp="2015-11-18T14:17:01.5+02:00"), "ts") == (
        1_447_849_021_500,
    )
    # The version 1.0.3 allows a time without a zone.
    assert event(tmp_path, statement(1, timestamp="2015-11-18T12:17:01"), "ts") == (1_447_849_021_000,)
    assert event(tmp_path, statement(1, timestamp=None, stored="2015-11-18T12:17:01Z"), "ts") == (
        1_447_849_021_000,
    )
    assert event(tmp_path, statement(1, id=uuid(1).upper()), "event_id") == (uuid(1),)
    bare = {**statement(1)}
    del bare["id"]
    (made,) = event(tmp_path, bare, "event_id")
    assert re.fullmatch("[0-9a-f]{32}", made)


def test_a_statement_that_an_lrs_repeats_is_one_event(tmp_path: Path) -> None:
    """What an LRS may write anew: zones, the order of members, definitions."""
    again = statement(
        1, timestamp="2015-11-18T13:17:01+01:00", stored="2016-01-01T00:00:00Z", version="1.0.0"
    )
    again["object"] = {**again["object"], "definition": {"name": {"en": "Page"}}}
    assert len(set(load(tmp_path, statement(1), again).events())) == 1


# --- bad input ------------------------------------------------------------------------------------------------


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"actor": None}, "actor"),
        ({"actor": "ann"}, "actor"),
        ({"actor": []}, "actor"),
        ({"actor": {"name": "Ann"}}, "actor"),
        ({"actor": {"mbox": "ann@example.com"}}, "actor.mbox"),
        ({"actor": {"mbox": ["mailto:ann@example.com"]}}, "actor.mbox"),
        ({"actor": {"mbox_sha1sum": "abc"}}, "actor.mbox_sha1sum"),
        ({"actor": {"openid": "toby"}}, "actor.openid"),
        ({"actor": {"account": {"name": "17"}}}, "actor.account"),
        ({"actor": {"account": {"homePage": "https://a.example", "name": 17}}}, "actor.account.name"),
        ({"actor": {"account": "17"}}, "actor.account"),
        ({"actor": {"objectType": "Person", **ANN}}, "actor.objectType"),
        ({"actor": {"objectType": "Group"}}, "actor.member"),
        ({"actor": {"objectType": "Group", "member": {}}}, "actor.member"),
        ({"verb": None}, "verb"),
        ({"verb": "completed"}, "verb"),
        ({"verb": {"id": None}}, "verb.id"),
        ({"verb": {"id": "completed"}}, "verb.id"),
        ({"verb": {"id": 7}}, "verb.id"),
        ({"verb": {"id": "http://" + "x" * 2_000}}, "event_type"),
        ({"object": None}, "object"),
        ({"object": {}}, "object.id"),
        ({"object": {"id": 5}}, "object.id"),
        ({"object": {"id": "http://a b"}}, "object.id"),
        ({"object": {"id": "http://a/" + "x" * 2_000}}, "object_id"),
        ({"object": {"objectType": "Thing", "id": "http://a"}}, "object.objectType"),
        ({"object": {"objectType": [], "id": "http://a"}}, "object.objectType"),
        ({"object": {"objectType": "Group", "member": [ANN]}}, "object"),
        ({"verb": {"id": ADL + "voided"}}, "object"),
        ({"verb": {"id": ADL + "voided"}, "object": {"objectType": "StatementRef", "id": "x"}}, "object.id"),
        ({"id": "7"}, "id"),
        ({"id": 7}, "id"),
        ({"result": "good"}, "result"),
        ({"result": {"score": 5}}, "result.score"),
        ({"result": {"score": {"scaled": 7}}}, "result.score.scaled"),
        ({"result": {"score": {"scaled": True}}}, "result.score.scaled"),
        ({"result": {"score": {"raw": 7, "max": 5}}}, "result.score.raw"),
        ({"result": {"success": "true"}}, "result.success"),
        ({"result": {"response": 5}}, "result.response"),
        ({"result": {"duration": "an hour"}}, "result.duration"),
        ({"result": {"duration": "PT"}}, "result.duration"),
        ({"result": {"extensions": []}}, "result.extensions"),
        ({"context": []}, "context"),
        ({"context": {"registration": "r"}}, "context.registration"),
        ({"context": {"platform": {}}}, "context.platform"),
        ({"timestamp": 1_447_849_021}, "timestamp"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": "2999-01-01T00:00:00Z"}, "timestamp"),
        ({"timestamp": None}, "timestamp"),
        ({"verb": {"id": "http://id.tincanapi.com/verb/rated"}}, "value"),
    ],
)
def test_what_is_wrong_is_named_and_costs_its_statement_only(
    tmp_path: Path, fields: dict[str, Any], field: str
) -> None:
    found, reason = refusal(tmp_path, **fields)
    assert found == field
    assert len(reason) > 5


def test_nesting_without_end_costs_its_statement_only(tmp_path: Path) -> None:
    nested = deep(1_000)
    rows = [
        statement(1, result={"extensions": {"http://a/x": nested}}),
        statement(2, object={**COURSE, "definition": {"extensions": {"http://a/x": nested}}}),
        statement(3, actor=nested),
        statement(4, object=nested),
        statement(5, context={"contextActivities": {"parent": nested}}),
        statement(6),
    ]
    loaded = Loaded()
    for kind in ("events", "content", "users"):
        loaded.add(XapiLoader(), rows, kind)  # type: ignore[arg-type]
    assert {row["event_id"] for row in loaded.rows["events"]} == {uuid(2), uuid(5), uuid(6)}
    assert [(one.line, one.field) for one in loaded.rejected["events"]] == [
        (1, "result.extensions.http://a/x"),
        (3, "actor"),
        (4, "object.id"),
    ]
    assert [one.line for one in loaded.rejected["content"]] == [2]


@pytest.mark.parametrize(
    ("thing", "field"),
    [
        ({"definition": 5}, "object.definition"),
        ({"definition": {"name": {"en": 5}}}, "object.definition.name.en"),
        ({"definition": {"description": "x"}}, "object.definition.description"),
        ({"definition": {"type": 5}}, "object.definition.type"),
        ({"definition": {"extensions": "x"}}, "object.definition.extensions"),
    ],
)
def test_a_bad_definition_costs_the_description_and_not_the_event(
    tmp_path: Path, thing: dict[str, Any], field: str
) -> None:
    loaded = load(tmp_path, statement(1, object={"id": "https://example.com/1", **thing}))
    assert [one.field for one in loaded.rejected["content"]] == [field]
    assert len(loaded.rows["events"]) == 1


def test_what_statements_do_not_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Statements hold no items"):
        XapiLoader().sources([tmp_path / "statements.json"], "items")
