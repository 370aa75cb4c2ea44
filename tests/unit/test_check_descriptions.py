"""Rows that describe users, items, content and tags."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphprofile.ingest.canonical import canonical_value
from graphprofile.ingest.check import check_descriptions
from graphprofile.ingest.rows import native_column
from graphprofile.records import Description, DescriptionChunk, Kind, RawChunk


def check(kind: Kind, *rows: dict[str, Any], fixed: bool = False, **options: Any) -> DescriptionChunk:
    names = list(dict.fromkeys(name for row in rows for name in row))
    frame = pl.DataFrame([native_column(name, [row.get(name) for row in rows]) for name in names])
    return check_descriptions(
        RawChunk(kind, "f", frame, range(2, len(rows) + 2), fixed_columns=fixed), **options
    )


def test_users_have_properties() -> None:
    chunk = check(
        "users",
        {"user_id": " u1 ", "name": " Ada ", "age": 36, "rev": 5, "note": "", "updated_at": "2020-01-01"},
    )
    (row,) = chunk.rows
    assert (row.id, row.updated_at, row.line, row.tags) == ("u1", 1_577_836_800_000, 2, None)
    assert row.properties == {"name": "Ada", "age": 36, "source_rev": 5}


def test_items_and_content_have_tags() -> None:
    chunk = check(
        "items",
        {"item_id": 1, "title": "Ulysses", "tags": "genre:Fiction;modern"},
        {"item_id": "2", "tags": [{"name": "Poetry", "kind": "genre", "weight": 0.5}]},
        {"item_id": "3", "tags": []},
        {"item_id": "4"},
    )
    assert [row.id for row in chunk.rows] == ["1", "2", "3", "4"]
    assert [row.tags for row in chunk.rows] == [
        [("genre", "Fiction", 1.0), ("tag", "modern", 1.0)],
        [("genre", "Poetry", 0.5)],
        [],
        None,
    ]
    (row,) = check("content", {"content_id": "c", "text": "words", "tags": "x"}).rows
    assert (row.properties, row.tags) == ({"text": "words"}, [("tag", "x", 1.0)])


def test_tags_are_part_of_tags() -> None:
    chunk = check(
        "tags", {"tag": "genre:Poetry", "part_of": "genre:Literature", "kind": "x"}, {"tag": "Haiku"}
    )
    assert [(row.id, row.tags, row.properties) for row in chunk.rows] == [
        ("genre:Poetry", [("genre", "Literature", 1.0)], {"source_kind": "x"}),
        ("tag:Haiku", None, {}),
    ]


def test_an_empty_cell_says_nothing_of_tags() -> None:
    frame = pl.DataFrame({"item_id": ["1"], "tags": [""], "updated_at": [" "]})
    (row,) = check_descriptions(RawChunk("items", "f", frame, [2])).rows
    assert (row.tags, row.updated_at) == (None, None)


@pytest.mark.parametrize(
    ("kind", "row", "field", "reason"),
    [
        ("users", {"user_id": ""}, "user_id", "is missing"),
        ("items", {"item_id": "a\x00"}, "item_id", "control characters"),
        ("items", {"item_id": "a", "tags": [{"name": "x", "weight": -1}]}, "tags", "above 0"),
        ("tags", {"tag": " "}, "tag", "is missing"),
        ("users", {"user_id": "a", "updated_at": "soon"}, "updated_at", "is no time"),
        ("users", {"user_id": "a", "updated_at": [1]}, "updated_at", "is no time"),
        ("users", {"user_id": "a", "x": b"1"}, "x", "is binary"),
        ("users", {"user_id": "a", "_reject": "name: too short"}, "name", "too short"),
    ],
)
def test_a_bad_row_says_where_and_why(kind: Kind, row: dict[str, Any], field: str, reason: str) -> None:
    chunk = check(kind, row)
    assert (chunk.read, chunk.rows) == (1, [])
    (rejection,) = chunk.rejected
    assert (rejection.field, rejection.kind, rejection.row) == (field, kind, row)
    assert reason in rejection.reason


def test_times_of_descriptions_know_zone_and_unit() -> None:
    rows = check(
        "users", {"user_id": "a", "updated_at": "1970-01-01T01:00:00"}, time_zone="Africa/Lagos"
    ).rows
    assert rows[0].updated_at == 0
    rows = check("users", {"user_id": "a", "updated_at": 5}, time_unit="ms").rows
    assert rows[0].updated_at == 5


def test_rows_that_say_the_same_are_sent_once_at_their_latest() -> None:
    chunk = check(
        "items",
        {"item_id": "1", "title": "Old", "tags": "a", "updated_at": "2020-03-01"},
        {"item_id": "1", "title": "Old", "tags": "a", "updated_at": None},
        {"item_id": "1", "title": "Old", "tags": "a", "updated_at": "2020-05-01T02:00:00+02:00"},
        {"item_id": "1", "title": "Old", "tags": "a", "updated_at": "2020-05-01"},
        {"item_id": "1", "title": "New", "tags": "a", "updated_at": "2020-04-01"},
        {"item_id": "1", "title": "Old", "tags": "b", "updated_at": "2020-04-01"},
    )
    assert (chunk.read, chunk.repeats) == (6, 3)
    assert [(row.line, row.properties["title"], row.tags) for row in chunk.rows] == [
        (4, "Old", [("tag", "a", 1.0)]),
        (6, "New", [("tag", "a", 1.0)]),
        (7, "Old", [("tag", "b", 1.0)]),
    ]
    assert chunk.rows[0].updated_at == 1_588_291_200_000


def test_equal_rows_that_cannot_be_used_are_each_refused() -> None:
    bad = {"item_id": "1", "tags": "a\x00"}
    chunk = check("items", bad, {"item_id": "2", "tags": "a"}, {**bad, "updated_at": "2020-01-01"}, bad)
    assert [(r.line, r.field, r.row["item_id"]) for r in chunk.rejected] == [
        (2, "tags", "1"),
        (4, "tags", "1"),
        (5, "tags", "1"),
    ]
    assert ([row.id for row in chunk.rows], chunk.read, chunk.repeats) == (["2"], 4, 0)
    soon = {"user_id": "u", "updated_at": "soon"}
    chunk = check("users", soon, {"user_id": "u"}, soon, {"user_id": "u"})
    assert [rejection.line for rejection in chunk.rejected] == [2, 4]
    assert ([row.line for row in chunk.rows], chunk.repeats) == ([3], 1)


def test_each_row_on_tags_stands_for_itself() -> None:
    chunk = check("tags", {"tag": "Haiku", "part_of": "Poetry"}, {"tag": "Haiku", "part_of": "Poetry"})
    assert (len(chunk.rows), chunk.repeats) == (2, 0)


def winners(rows: list[Description]) -> dict[tuple[str, str], tuple[bool, int, str]]:
    """What stands in the end: by node and property the latest value, of equally late ones the larger."""
    found: dict[tuple[str, str], tuple[bool, int, str]] = {}
    for row in rows:
        said = {
            **row.properties,
            **({} if row.tags is None else {"#tags": [list(t) for t in sorted(row.tags)]}),
        }
        for name, value in {**said, "#node": True}.items():
            rank = (row.updated_at is not None, row.updated_at or 0, canonical_value(value))
            found[row.id, name] = max(rank, found.get((row.id, name), rank))
    return found


SAID = st.fixed_dictionaries(
    {"item_id": st.sampled_from(["1", "2", ""])},
    optional={
        "title": st.sampled_from(["A", "B", "", None]),
        "price": st.sampled_from([1.5, 2.0, None]),
        "tags": st.sampled_from(["a", "a;b", "a;a", "", None]),
        "updated_at": st.sampled_from(["2020-01-01", "2020-01-01T00:00:00Z", "2021", "soon", None]),
    },
)


@given(st.lists(SAID, max_size=12))
def test_sending_repeats_once_makes_no_difference(rows: list[dict[str, Any]]) -> None:
    together = check("items", *rows)
    apart = [check("items", row) for row in rows]
    assert winners(together.rows) == winners([row for chunk in apart for row in chunk.rows])
    assert [(r.line - 2, r.field, r.reason) for r in together.rejected] == [
        (number, r.field, r.reason) for number, chunk in enumerate(apart) for r in chunk.rejected
    ]
    assert together.read == len(rows) == len(together.rows) + together.repeats + len(together.rejected)
