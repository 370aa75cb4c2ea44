"""What is gathered of a batch: the same however its rows are cut, and what a plain count gives."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphprofile.ingest.counts import Counts
from graphprofile.ingest.fields import is_missing
from graphprofile.ingest.loaders import find_loader
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.quality.filled import MOST_COLUMNS, count_filled
from graphprofile.ingest.quality.gather import MOST_REASONS, OTHER, Gatherer, plain_reason
from graphprofile.ingest.quality.histogram import Histogram, quantile, tenths
from graphprofile.ingest.quality.record import Record
from graphprofile.ingest.quality.sketch import ERROR, KEPT, Distinct, hashed
from graphprofile.ingest.quality.volume import HOUR_MS, MOST, WIDTHS, Volume
from graphprofile.ingest.read import read_checked
from graphprofile.records import Rejection
from graphprofile.vocabulary import Vocabulary

NOW = 1_750_000_000_000
MARK = 1_700_000_000_000

cells = st.sampled_from([None, "", "  ", "\u00a0", "a", " b ", "c"])
rows_of_events = st.lists(
    st.fixed_dictionaries(
        {
            "user_id": cells,
            "event_type": st.sampled_from(["viewed", "purchased", "nosuch", "", None]),
            "object_id": cells,
            "timestamp": st.sampled_from(
                ["2020-01-02T03:04:05Z", "2021", "", "soon", MARK + 5, NOW * 2, None]
            ),
            "value": st.sampled_from([None, "", "1", "4.5", "-3", "much"]),
        },
        optional={"channel": cells, "note": st.sampled_from(["x", "", None])},
    ),
    max_size=40,
)


def gathered(rows: list[dict[str, Any]], check_rows: int, chunk_rows: int) -> Record:
    found = Gatherer(MARK, Vocabulary().name_of, NOW)
    total = Counts()
    for chunk in read_checked(
        rows,
        find_loader("generic"),
        "events",
        Mapping(),
        Vocabulary(),
        now_ms=NOW,
        check_rows=check_rows,
        chunk_rows=chunk_rows,
    ):
        found.add(chunk)
        total.add(Counts(read=chunk.read, quarantined=len(chunk.rejected)))
    return found.record({"events": total})


@settings(deadline=None, max_examples=60)
@given(rows_of_events, st.integers(1, 41), st.integers(1, 41))
def test_any_cut_gives_the_same_record_and_the_plain_count(
    rows: list[dict[str, Any]], check_rows: int, chunk_rows: int
) -> None:
    whole = gathered(rows, 1_000, 1_000)
    assert gathered(rows, check_rows, chunk_rows) == whole
    assert Record.unpacked(whole.packed()) == whole
    assert whole.looked_at == len(rows)
    for name, count in whole.filled.get("events", {}).items():
        assert count == sum(not is_missing(row.get(name)) for row in rows), name
    good = len(rows) - sum(entry[3] for entry in whole.refused)
    assert sum(whole.event_types.values()) == good == sum(count for _, count in whole.volume)


def test_text_that_only_looks_like_something_is_nothing() -> None:
    column = pl.Series("note", ["", " ", "\t\n", " x", "y", None, "\u00a0"])
    frame = pl.DataFrame([column, pl.Series("n", [1.0, float("nan"), None, 0.0, 1.0, 2.0, 3.0])])
    found = count_filled(frame, "users", faultless=False)
    # A no-break space alone is nothing too.
    assert found.columns == {"user_id": 0, "note": 2, "n": 5}


def test_a_thousand_columns_are_not_counted_one_by_one() -> None:
    frame = pl.DataFrame({f"c{n}": ["x"] for n in range(1_000)})
    found = count_filled(frame, "events", faultless=False)
    assert len(found.columns) == MOST_COLUMNS
    assert {"user_id", "timestamp"} <= found.columns.keys()
    assert found.more


def test_few_values_are_counted_and_many_estimated() -> None:
    random.seed(1)
    for values, copies in ((KEPT - 1, 3), (200_000, 2)):
        every = [f"u{n}" for n in range(values)] * copies
        random.shuffle(every)
        found = Distinct()
        for start in range(0, len(every), 10_000):
            found.add(hashed(pl.Series(every[start : start + 10_000])))
        allowed = 0 if values < KEPT else 4 * ERROR * values
        assert abs(found.count() - values) <= allowed


@pytest.mark.parametrize("sign", [1, -1])
def test_quantiles_are_a_sixteenth_off_at_most_and_ratings_exact(sign: int) -> None:
    numbers = sign * np.exp(np.random.default_rng(0).normal(0, 4, 20_000))
    found = Histogram()
    found.add(numbers)
    for share in (0.05, 0.5, 0.95):
        exact = float(np.quantile(numbers, share, method="inverted_cdf"))
        told = quantile(found.counts(), share)
        assert told is not None
        assert abs(exact) * (1 - 1 / 16) - 1e-9 <= abs(told) <= abs(exact) * (1 + 1 / 16)
    ratings = Histogram()
    ratings.add(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 0.0, -0.0]))
    assert list(ratings.counts().values()) == [2, 1, 1, 1, 1, 1]
    assert quantile(ratings.counts(), 1.0) == 5.0
    assert quantile({}, 0.5) is None


def test_tenths_hold_about_as_much_each() -> None:
    found = Histogram()
    found.add(np.random.default_rng(0).exponential(10, 50_000))
    then, now = tenths(found.counts(), {40_000: 7})
    assert 9 <= len(then) <= 10
    assert max(then.values()) < 0.2 * 50_000
    assert sum(now.values()) == 7


def test_a_long_time_is_counted_in_wider_stretches() -> None:
    hours = np.random.default_rng(0).integers(-600_000, 600_000, 5_000)
    pieces, whole = Volume(), Volume()
    whole.add(hours * HOUR_MS)
    for start in range(0, 5_000, 77):
        pieces.add(hours[start : start + 77] * HOUR_MS)
    assert (pieces.width, pieces.by_stretch) == (whole.width, whole.by_stretch)
    assert (pieces.of_day == whole.of_day).all()
    assert whole.width in WIDTHS[1:]
    assert len(whole.by_stretch) <= MOST
    assert whole.of_day.sum() == 5_000 == sum(count for _, count in whole.starts())
    far = Volume()
    far.add(np.array([-62_135_596_800_000, 253_402_300_799_999]))
    assert len(far.by_stretch) == 2


def test_reasons_are_told_without_their_values_and_bounded() -> None:
    assert plain_reason("'12.x' is no number: use a point") == plain_reason("'7,5' is no number: use a point")
    found = Gatherer(None, {}, NOW)
    found.refuse(Rejection("f", 1, f"c{n}", "is odd", None) for n in range(MOST_REASONS + 5))
    record = found.record({"events": Counts(quarantined=MOST_REASONS + 7)})
    assert ("events", "", OTHER, 5) in record.refused
    assert record.refused[-1][3] == 2, "what nobody told apart is named"
