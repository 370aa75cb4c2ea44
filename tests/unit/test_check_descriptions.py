"""Rows that describe users, items, content and tags."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from graphprofile.ingest.check import check_descriptions
from graphprofile.ingest.rows import native_column
from graphprofile.records import DescriptionChunk, Kind, RawChunk


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
