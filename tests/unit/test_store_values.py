"""Property values as JSON and back: nothing is lost, or it is refused by name."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from neo4j.spatial import CartesianPoint, WGS84Point

from graphprofile.store.values import Encoder, decode

finite = st.floats(allow_nan=False)
single = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    finite,
    st.binary(),
)
lists = st.one_of(st.lists(finite), st.lists(st.floats(width=32, allow_nan=False)), st.lists(st.text("ab")))


def there_and_back(properties: dict[str, Any]) -> dict[str, Any]:
    plain, times = decode(orjson.loads(orjson.dumps(Encoder().properties(properties))))
    assert times == []
    return plain


@given(st.dictionaries(st.text("abc$", max_size=3), st.one_of(single, lists)))
def test_values_come_back_as_they_were(properties: dict[str, Any]) -> None:
    back = there_and_back(properties)
    assert back == properties
    assert repr(back) == repr({name: back[name] for name in properties})
    for name, value in properties.items():
        assert repr(back[name]) == repr(value)


def test_values_without_a_word_in_json() -> None:
    assert math.isnan(there_and_back({"x": float("nan")})["x"])
    assert there_and_back({"x": [1.0, float("inf")]}) == {"x": [1.0, float("inf")]}
    for point in (WGS84Point((1.0, 2.0)), WGS84Point((1.0, 2.0, 3.0)), CartesianPoint((1.0, 2.0))):
        back = there_and_back({"x": point})["x"]
        assert (type(back), back.srid, tuple(back)) == (type(point), point.srid, tuple(point))
    assert there_and_back({"x": None, "y": 1}) == {"y": 1}


def test_vectors_are_packed_and_others_are_not() -> None:
    encoder = Encoder()
    assert set(encoder.properties({"v": [0.5] * 8})["v"]) == {"f32"}
    assert encoder.properties({"v": [0.1] * 8})["v"] == [0.1] * 8
    assert encoder.properties({"v": [-0.0] * 8})["v"] == [-0.0] * 8
    assert encoder.properties({"v": [1e300] * 8})["v"] == [1e300] * 8
    assert encoder.kinds == set()


@pytest.mark.parametrize(
    ("value", "kind"),
    [([1, "a"], "mixed list"), ([1, 2.0], "mixed list"), ([[1], [2]], "list of lists"), ({"a": 1}, "map")],
)
def test_kinds_that_not_every_engine_holds_are_named(value: Any, kind: str) -> None:
    encoder = Encoder()
    assert decode(encoder.properties({"x": value}))[0] == {"x": value}
    assert encoder.kinds == {kind}


def test_what_cannot_be_kept_is_named() -> None:
    with pytest.raises(ValueError, match="property 'x': values of the type object"):
        Encoder().properties({"x": object()})
    with pytest.raises(ValueError, match="unknown kind of value 'colour'"):
        decode({"x": {"colour": 1}})
