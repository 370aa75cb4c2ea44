"""``--map``, required columns, and what rows are."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphprofile.errors import SourceError, UsageError
from graphprofile.ingest import occurrences
from graphprofile.ingest.mapping import Mapping, check_required, guess_kind
from graphprofile.ingest.occurrences import Occurrences

FRAME = pl.DataFrame({"CustomerID": ["1", "2"], "Age": ["30", "x"], "note": ["a", "b"]})


def apply(*texts: str, frame: pl.DataFrame = FRAME) -> dict[str, list[Any]]:
    return Mapping.parse(texts).apply(frame, "f.csv").to_dict(as_series=False)


def test_fields_take_columns_constants_and_types() -> None:
    assert apply("user_id=CustomerID", "event_type==viewed", "-=note") == {
        "user_id": ["1", "2"],
        "event_type": ["viewed", "viewed"],
        "Age": ["30", "x"],
    }
    frame = pl.DataFrame(
        {"a": ["1"], "b": ["0.5"], "c": ["Yes"], "d": ["x;y"], "e": ["1970-01-02"], "f": [7]}
    )
    assert apply("i:int=a", "r:float=b", "t:bool=c", "l:list=d", "w:time=e", "s:text=f", frame=frame) == {
        "i": [1],
        "r": [0.5],
        "t": [True],
        "l": [["x", "y"]],
        "w": [86_400_000],
        "s": ["7"],
    }


def test_one_column_may_serve_two_fields_and_hides_its_namesake() -> None:
    frame = pl.DataFrame({"a": ["1"], "value": ["old"]})
    assert apply("value=a", "price=a", frame=frame) == {"value": ["1"], "price": ["1"]}


def test_a_value_of_another_type_refuses_its_row() -> None:
    assert apply("age:int=Age")["_reject"] == [None, "age: 'x' is no number"]
    frame = pl.DataFrame({"a": ["1.5", "1e3", "9223372036854775808", ""]})
    found = apply("n:int=a", frame=frame)
    assert found["n"] == [None, 1000, None, None]
    assert [reason is None for reason in found["_reject"]] == [False, True, False, True]


@pytest.mark.parametrize("text", ["user_id", "=x", "user_id=", "", "a:int", "a:number=b"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"mapping|type"):
        Mapping.parse([text])


def test_a_field_is_mapped_once() -> None:
    with pytest.raises(UsageError, match="'a' is mapped twice"):
        Mapping.parse(["a=b", "a=c"])


def test_an_unknown_column_names_the_closest() -> None:
    with pytest.raises(
        SourceError, match=r"no column 'customerid' \(did you mean 'CustomerID'\?\)"
    ) as caught:
        apply("user_id=customerid")
    assert caught.value.hint == "Its columns: CustomerID, Age, note."


def test_texts_round_trip() -> None:
    texts = ["user_id=a", "n:int=b", "-=c", "event_type==x=y", "e=="]
    assert Mapping.parse(texts).to_texts() == texts


def test_missing_columns_are_named_with_the_mapping_to_use() -> None:
    with pytest.raises(SourceError, match="no column user_id and no column event_type") as caught:
        check_required(["customer_id", "object_id", "timestamp"], "events", "f.csv")
    assert "--map user_id=customer_id" in str(caught.value.hint)
    assert "--map event_type==purchased" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        (["user_id", "event_type", "object_id", "timestamp"], "events"),
        (["user_id", "object_id", "timestamp"], "events"),
        (["user_id", "name"], "users"),
        (["item_id", "title"], "items"),
        (["content_id", "text"], "content"),
        (["tag", "part_of"], "tags"),
    ],
)
def test_columns_tell_what_rows_are(columns: list[str], kind: str) -> None:
    assert guess_kind(columns, "f") == kind


def test_columns_that_tell_nothing_ask_for_a_kind() -> None:
    with pytest.raises(SourceError, match="its columns: a, b") as caught:
        guess_kind(["a", "b"], "f")
    assert "--kind" in str(caught.value.hint)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 20), max_size=30), max_size=12), st.sampled_from([2, 4_000_000]))
def test_occurrences_count_over_all_calls_in_memory_and_on_disk(
    calls: list[list[int]], in_memory: int
) -> None:
    before = occurrences.IN_MEMORY
    occurrences.IN_MEMORY = in_memory
    try:
        counts, seen = Occurrences(), dict[int, int]()
        for keys in calls:
            expected = []
            for key in keys:
                seen[key] = seen.get(key, 0) + 1
                expected.append(seen[key])
            assert counts.number(np.array(keys, dtype=np.uint64)).tolist() == expected
    finally:
        occurrences.IN_MEMORY = before
