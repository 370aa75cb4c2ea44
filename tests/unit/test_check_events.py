"""Whole chunks of events: what comes through, what is refused and why."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphprofile.errors import UsageError
from graphprofile.ingest.canonical import canonical_event, content_hash
from graphprofile.ingest.check import EVENT_SCHEMA, check_events
from graphprofile.ingest.occurrences import Occurrences
from graphprofile.ingest.rows import native_column
from graphprofile.records import EventChunk, RawChunk
from graphprofile.vocabulary import EventRule, Vocabulary

NOW = 1_800_000_000_000
GOOD = {
    "event_id": "e1",
    "user_id": "u1",
    "event_type": "viewed",
    "object_id": "i1",
    "timestamp": "2010-12-01",
}


def check(
    *rows: dict[str, Any], vocabulary: Vocabulary | None = None, fixed: bool = False, **options: Any
) -> EventChunk:
    names = list(dict.fromkeys(name for row in rows for name in row))
    frame = pl.DataFrame([native_column(name, [row.get(name) for row in rows]) for name in names])
    raw = RawChunk("events", "f.csv", frame, range(2, len(rows) + 2), fixed_columns=fixed)
    return check_events(raw, vocabulary or Vocabulary(), now_ms=NOW, **options)


def refused(row: dict[str, Any], **options: Any) -> tuple[str, str]:
    chunk = check(row, **options)
    assert chunk.read == 1
    assert not chunk.frame.height
    (rejection,) = chunk.rejected
    assert rejection.line == 2
    assert repr(rejection.row) == repr({name: value for name, value in row.items() if value is not None})
    return rejection.field, rejection.reason


def test_a_good_row_comes_through_clean() -> None:
    chunk = check({**GOOD, "user_id": " u1 ", "value": "2.50", "colour": "réd", "empty": "", "n": 3})
    assert chunk.rejected == []
    assert dict(chunk.frame.schema) == EVENT_SCHEMA
    row = chunk.frame.row(0, named=True)
    hashed = row.pop("hash")
    assert row == {
        "type": "VIEWED",
        "event_id": "e1",
        "user_id": "u1",
        "object_id": "i1",
        "object_kind": "item",
        "ts": 1_291_161_600_000,
        "ts_precision": None,
        "value": 2.5,
        "properties": '{"colour":"réd","n":3}',
        "line": 2,
    }
    content = {
        name: row[name]
        for name in ("type", "user_id", "object_id", "object_kind", "ts", "ts_precision", "value")
    }
    assert hashed == content_hash(canonical_event(**content, properties={"n": 3.0, "colour": "réd"}))


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"user_id": ""}, "user_id", "is missing"),
        ({"object_id": None}, "object_id", "is missing"),
        ({"event_type": None}, "event_type", "is missing"),
        ({"event_type": "liekd"}, "event_type", "unknown event type 'liekd' (did you mean 'liked'?)"),
        ({"event_type": "flew"}, "event_type", '[events.flew]\ntype = "FLEW"'),
        ({"event_type": 5}, "event_type", "is no event type"),
        ({"object_kind": "planet"}, "object_kind", "use item, content, user"),
        ({"object_kind": "user"}, "object_kind", "VIEWED takes item or content, not user"),
        ({"timestamp": None}, "timestamp", "is missing"),
        ({"timestamp": "soon"}, "timestamp", "is no time"),
        ({"timestamp": "2999-01-01"}, "timestamp", "more than a day in the future"),
        ({"value": "many"}, "value", "is no number"),
        ({"value": float("nan")}, "value", "no finite number"),
        ({"event_type": "purchased", "value": "-1"}, "value", "-1 is below 0, the limit of PURCHASED"),
        ({"event_type": "rated", "value": "6"}, "value", "6 is above 5, the limit of RATED"),
        ({"event_type": "rated"}, "value", "is missing: RATED needs one"),
        ({"event_id": " "}, "event_id", "is missing"),
        ({"size": 2**70}, "size", "64 bits"),
        ({"Unit Price": "1", "Unit-Price": "2"}, "Unit-Price", "same property name"),
        ({"???": "1"}, "???", "has no letter"),
        ({"_reject": "book: lost at sea"}, "book", "lost at sea"),
    ],
)
def test_a_bad_row_says_where_and_why(change: dict[str, Any], field: str, reason: str) -> None:
    found = refused({**GOOD, **change})
    assert found[0] == field
    assert reason in found[1]


def test_bad_rows_leave_the_good_ones_alone() -> None:
    chunk = check(GOOD, {**GOOD, "user_id": ""}, {**GOOD, "event_id": "e2"}, {**GOOD, "timestamp": "x"})
    assert chunk.frame["event_id"].to_list() == ["e1", "e2"]
    assert chunk.frame["line"].to_list() == [2, 4]
    assert [(r.line, r.field) for r in chunk.rejected] == [(3, "user_id"), (5, "timestamp")]
    assert chunk.read == 4


@pytest.mark.parametrize("name", ["viewed", "Viewed", " VIEWED "])
def test_event_types_do_not_depend_on_case(name: str) -> None:
    assert check({**GOOD, "event_type": name}).frame["type"].to_list() == ["VIEWED"]
    assert check({**GOOD, "event_type": "Added to-cart"}).frame["type"].to_list() == ["ADDED_TO_CART"]


def test_the_kind_of_object_is_what_the_event_takes() -> None:
    rules = {
        "joined": EventRule(type="JOINED", objects=("user",)),
        "met": EventRule(type="MET", objects=("user", "item")),
    }
    vocabulary = Vocabulary(events=rules)
    chunk = check({**GOOD, "event_type": "joined"}, {**GOOD, "event_type": "met"}, vocabulary=vocabulary)
    assert chunk.frame["object_kind"].to_list() == ["user", "item"]
    chunk = check({**GOOD, "event_type": "met", "object_kind": " User "}, vocabulary=vocabulary)
    assert chunk.frame["object_kind"].to_list() == ["user"]


def test_names_the_system_keeps_get_a_prefix() -> None:
    row = {**GOOD, "batch": "b", "ts": 1, "Unit Price": 2.5, "2nd": "x", "größe": "m"}
    properties = json.loads(check(row).frame["properties"][0])
    assert properties == {"source_batch": "b", "source_ts": 1, "Unit_Price": 2.5, "_2nd": "x", "größe": "m"}


def test_events_without_ids_get_stable_ones_that_number_repetitions() -> None:
    row = {name: value for name, value in GOOD.items() if name != "event_id"}
    other = {**row, "object_id": "i2"}
    counts = Occurrences()
    one = check(row, other, row, occurrences=counts).frame
    two = check(row, occurrences=counts).frame
    assert one["event_id"].to_list() == [one["hash"][0], one["hash"][1], f"{one['hash'][0]}-2"]
    assert two["event_id"].to_list() == [f"{one['hash'][0]}-3"]
    assert check(row).frame["event_id"][0] == one["event_id"][0]


def test_an_empty_id_is_refused_where_the_file_has_a_column_of_ids() -> None:
    rows = (GOOD, {**GOOD, "event_id": None})
    assert [r.field for r in check(*rows, fixed=True).rejected] == ["event_id"]
    # A JSON object without the field says nothing of the other rows.
    assert check(*rows).frame["event_id"].null_count() == 0


def test_an_unknown_time_zone_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="Unknown time zone"):
        check(GOOD, time_zone="Mars/Olympus")


ANY = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.lists(st.integers(), max_size=2)
)
NAMES = st.sampled_from([*GOOD, "object_kind", "value", "extra", "_reject"]) | st.text(min_size=1, max_size=5)
ROWS = st.dictionaries(NAMES, ANY, max_size=8).map(
    lambda row: {**row, "_reject": None} if not isinstance(row.get("_reject"), str) else row
)


@settings(deadline=None)
@given(st.lists(ROWS | ROWS.map(lambda row: {**row, **GOOD}), max_size=8), st.booleans())
def test_every_row_is_applied_or_refused(rows: list[dict[str, Any]], fixed: bool) -> None:
    if rows:
        chunk = check(*rows, fixed=fixed)
        assert chunk.frame.height + len(chunk.rejected) == chunk.read == len(rows)
        lines = [*chunk.frame["line"].to_list(), *(rejection.line for rejection in chunk.rejected)]
        assert sorted(lines) == list(range(2, len(rows) + 2))
        required = [name for name in EVENT_SCHEMA if name not in ("value", "properties", "ts_precision")]
        assert not any(chunk.frame[name].null_count() for name in required)


TEXTS = st.fixed_dictionaries(
    {
        "user_id": st.text(min_size=1, max_size=6),
        "object_id": st.sampled_from(["i1", 'q"x', "b\\s", "é", "\U0001f600"]),
    },
    optional={"colour": st.text(max_size=4), "value": st.floats(-1e20, 1e20)},
).map(lambda row: {**GOOD, **row})


@settings(deadline=None)
@given(
    st.lists(TEXTS, min_size=1, max_size=6),
    st.sampled_from(["2010-12-01", "1291161600000", "2010-12", "2010"]),
)
def test_a_hash_is_that_of_the_canonical_event(rows: list[dict[str, Any]], moment: str) -> None:
    chunk = check(*({**row, "timestamp": moment} for row in rows))
    for row in chunk.frame.rows(named=True):
        content = {
            name: row[name]
            for name in ("type", "user_id", "object_id", "object_kind", "ts", "ts_precision", "value")
        }
        properties = json.loads(row["properties"] or "{}")
        assert row["hash"] == content_hash(canonical_event(**content, properties=properties))


@settings(deadline=None)
@given(st.lists(ROWS.map(lambda row: {**row, **GOOD}), min_size=1, max_size=6))
def test_a_row_means_the_same_alone_and_among_others(rows: list[dict[str, Any]]) -> None:
    together = check(*rows)
    alone = [check(row) for row in rows]
    assert together.frame.drop("line").rows() == [
        row for chunk in alone for row in chunk.frame.drop("line").rows()
    ]
    assert [(r.field, r.reason) for r in together.rejected] == [
        (r.field, r.reason) for chunk in alone for r in chunk.rejected
    ]
