"""Single values of the generic columns, and that whole columns give the same answers."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphprofile.ingest.canonical import canonical_number, canonical_text, canonical_value
from graphprofile.ingest.columns import (
    identifiers,
    numbers,
    numbers_as_json,
    properties_as_json,
    property_values,
    texts_as_json,
)
from graphprofile.ingest.fields import identifier, number, property_value, tags

TEXT = st.text(max_size=20) | st.sampled_from([" a ", "é", "é", "\x00", "\x1fa", "\x85", "﻿x", "x" * 1025])


def outcome(rule: Callable[[Any], Any], value: Any) -> tuple[Any, str | None]:
    """A rule's answer, or the reason it has none."""
    try:
        return rule(value), None
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("u1", "u1"),
        ("  u1\t", "u1"),
        ("é", "é"),
        (17850, "17850"),
        (17850.0, "17850"),
        (np.int64(5), "5"),
        (Decimal("5.0"), "5"),
        ("17850.0", "17850.0"),
        ("x" * 1024, "x" * 1024),
    ],
)
def test_ids_are_trimmed_text(value: Any, text: str) -> None:
    assert identifier(value) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "is missing"),
        (" ", "is missing"),
        (1.5, "is no id"),
        (float("nan"), "is no id"),
        (1e300, "is no id"),
        (True, "is no id"),
        ([1], "is no id"),
        ("a\x00b", "control characters"),
        ("a\x85b", "control characters"),
        ("x" * 1025, "1025 characters"),
        ("\ud800", "half of a character"),
    ],
)
def test_what_is_no_id_says_why(value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        identifier(value)


@pytest.mark.parametrize(
    ("value", "result"), [("3", 3.0), (" -2.5e1 ", -25.0), (7, 7.0), ("", None), (None, None)]
)
def test_numbers(value: Any, result: float | None) -> None:
    assert number(value) == result


@pytest.mark.parametrize(
    "value", ["nan", "inf", "1_000", "3,5", "0x10", "1e999", "١", True, [1], float("nan")]
)
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="is no"):
        number(value)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("  text ", "text"),
        ("", None),
        (float("nan"), None),
        (3, 3),
        (True, True),
        (-0.0, 0.0),
        ([1, 2.5], [1.0, 2.5]),
        ([], None),
        (["a", None, " "], ["a"]),
        ([1, "a"], '[1, "a"]'),
        ({"b": 1, "a": [2]}, '{"a": [2], "b": 1}'),
        ([[1], [2]], "[[1], [2]]"),
        (dt.date(2020, 1, 2), "2020-01-02"),
        (dt.timedelta(minutes=1), 60.0),
    ],
)
def test_properties_are_what_a_graph_holds(value: Any, result: Any) -> None:
    assert property_value(value) == result


@pytest.mark.parametrize("value", [2**63, float("inf"), b"x", object(), {"a": float("nan")}, ["\ud800"]])
def test_what_a_graph_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        property_value(value)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (None, None),
        ("", None),
        ([], []),
        ("a;b", [("tag", "a", 1.0), ("tag", "b", 1.0)]),
        ("genre:Sci-Fi; author: Joyce ", [("genre", "Sci-Fi", 1.0), ("tag", "author: Joyce", 1.0)]),
        ("Genre:x;a;;a", [("tag", "Genre:x", 1.0), ("tag", "a", 1.0)]),
        (["a", {"name": "a", "weight": 0.5}], [("tag", "a", 1.0)]),
        ([{"name": "a", "kind": "genre", "weight": "2"}], [("genre", "a", 2.0)]),
        ([{"name": "a", "kind": None, "weight": None}, None], [("tag", "a", 1.0)]),
    ],
)
def test_tags(value: Any, result: Any) -> None:
    assert tags(value) == result


@pytest.mark.parametrize(
    "value",
    [
        5,
        [{"name": ""}],
        [{"name": "a", "weight": 0}],
        [{"name": "a", "weight": "nan"}],
        [{"name": "a", "x": 1}],
    ],
)
def test_wrong_tags_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        tags(value)


@settings(deadline=None)
@given(st.lists(st.none() | TEXT, max_size=6))
def test_columns_of_ids_answer_like_single_ids(values: list[str | None]) -> None:
    _same(pl.Series("user_id", values, dtype=pl.String), identifiers, identifier)


@settings(deadline=None)
@given(st.lists(st.none() | st.floats() | st.integers(-(2**60), 2**60).map(float), max_size=6))
def test_columns_of_float_ids_answer_like_single_ids(values: list[float | None]) -> None:
    _same(pl.Series("user_id", values, dtype=pl.Float64), identifiers, identifier)


@settings(deadline=None)
@given(
    st.lists(
        st.none()
        | TEXT
        | st.floats().map(str)
        | st.text("0123456789.eE+-_, ", max_size=8)
        | st.just("infinity"),
        max_size=6,
    )
)
def test_columns_of_text_numbers_answer_like_single_ones(values: list[str | None]) -> None:
    _same(pl.Series("value", values, dtype=pl.String), numbers, number)


@settings(deadline=None)
@given(st.lists(st.none() | st.floats(), max_size=6))
def test_columns_of_numbers_answer_like_single_ones(values: list[float | None]) -> None:
    _same(pl.Series("value", values, dtype=pl.Float64), numbers, number)


def _same(column: pl.Series, whole: Any, single: Any) -> None:
    answers, errors = whole(column)
    for row, value in enumerate(column.to_list()):
        assert (answers[row], errors.get(row)) == outcome(single, value)


@settings(deadline=None)
@given(
    st.lists(
        st.none()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.integers(0, 9999).map(lambda n: n / 100)
    )
)
def test_numbers_are_written_canonically(values: list[float | None]) -> None:
    written = numbers_as_json(pl.Series(values, dtype=pl.Float64)).to_list()
    assert written == [None if value is None else canonical_number(value) for value in values]
    assert [None if text is None else float(text) for text in written] == values


@settings(deadline=None)
@given(st.lists(st.none() | st.text()))
def test_texts_are_written_canonically(values: list[str | None]) -> None:
    normal = [None if value is None else unicodedata.normalize("NFC", value) for value in values]
    written = texts_as_json(pl.Series(normal, dtype=pl.String)).to_list()
    assert written == [None if value is None else canonical_text(value) for value in normal]
    assert [None if text is None else json.loads(text) for text in written] == normal


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("p", ["a", "", None, "  é "], dtype=pl.String),
        pl.Series("p", [1, None, -(2**63)], dtype=pl.Int64),
        pl.Series("p", [2**64 - 1, 1], dtype=pl.UInt64),
        pl.Series("p", [1.5, float("nan"), float("inf"), -0.0], dtype=pl.Float64),
        pl.Series("p", [True, None, False]),
        pl.Series("p", ["a", None], dtype=pl.Categorical),
        pl.Series("p", [Decimal("1.50"), None]),
        pl.Series("p", [dt.date(2020, 1, 1), None]),
        pl.Series("p", [dt.datetime(2020, 1, 1, 5), None]),
        pl.Series("p", [["a", "b"], None, []]),
        pl.Series("p", [{"a": 1}, None]),
        pl.Series("p", [b"x", None]),
        pl.Series("p", [[1, "a"], {"x": None}, 2**70, "\ud800", None], dtype=pl.Object),
        pl.Series("p", [None, None]),
    ],
    ids=lambda column: str(column.dtype),
)
def test_columns_of_any_type_become_the_properties_of_their_values(column: pl.Series) -> None:
    native, canonical, errors = properties_as_json(column)
    listed, listed_errors = property_values(column)
    assert errors == listed_errors
    for row, value in enumerate(column.to_list()):
        expected, reason = outcome(property_value, float(value) if isinstance(value, Decimal) else value)
        assert errors.get(row) == reason
        assert listed[row] == expected
        assert (None if native[row] is None else json.loads(native[row])) == expected
        assert canonical[row] == (None if expected is None else canonical_value(expected))


def test_canonical_values_ignore_how_they_were_written() -> None:
    assert canonical_value({"b": 1, "a": "é", "c": None}) == canonical_value({"a": "é", "b": 1.0})
    assert canonical_value([True, 1, -0.0, "x"]) == '[true,1.0,0.0,"x"]'
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="no canonical form"):
            canonical_value(wrong)
    with pytest.raises(TypeError, match="bytes"):
        canonical_value(b"x")
