"""The test kit on loaders of our own, and on loaders that are wrong in a known way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from graphprofile.loaders.generic import GenericLoader

from graphprofile.errors import SourceError
from graphprofile.records import Kind, SourceFile
from graphprofile.testing import Loaded, LoaderContract

EVENTS = (
    "event_id,user_id,event_type,object_id,timestamp,value\n"
    "1,ann,viewed,a,2026-01-01,\n2,bob,purchased,b,2026-01-02T10:00:00Z,12.5\n3,bob,purchased,b,soon,1\n"
    "4,cy,waved,b,2026-01-02,\n5,cy,rated,b,2026-01-02,4\n6,cy,viewed,b,2026-01-02,\n"
)


class TestGeneric(LoaderContract):
    loader = GenericLoader
    files = {
        "events.csv": EVENTS,
        "items.jsonl": (
            '{"item_id":"a","title":"A","tags":["x"]}\n{"item_id":"b","updated_at":"2026-01-01"}\n{"title":"C"}\n'
        ),
    }
    good = {"events": 4, "items": 2}
    refused = [
        ("events", "events.csv", 4, "timestamp"),
        ("events", "events.csv", 5, "event_type"),
        ("items", "items.jsonl", 3, "item_id"),
    ]


class Broken(GenericLoader):
    """Visits, kept to the contract unless told otherwise."""

    fault = ""

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        return [SourceFile(path, "events") for path in paths]

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        if self.fault == "loses":
            return frame.filter(pl.col("user_id") != "bob")
        if self.fault == "counts":
            return frame.with_columns(pl.int_range(pl.len()).cast(pl.String).alias("event_id"))
        if self.fault == "forgets":
            return frame.with_columns(pl.lit(0).alias("_row"))
        if self.fault == "one id":
            return frame.with_columns(pl.lit("1").alias("event_id"))
        return frame


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("loses", "test_nothing_is_lost"),
        ("forgets", "test_nothing_is_lost"),
        ("counts", "test_any_chunks_give_the_same"),
        ("one id", "test_ids_are_unique"),
    ],
)
def test_a_wrong_loader_is_found_out(tmp_path: Path, fault: str, test: str) -> None:
    class Contract(TestGeneric):
        loader = type("Wrong", (Broken,), {"fault": fault})
        files = {"events.csv": EVENTS}

    arguments = (1,) if test == "test_any_chunks_give_the_same" else ()
    with pytest.raises((AssertionError, SourceError)):
        getattr(Contract(), test)(tmp_path, *arguments)


class Pairs(GenericLoader):
    """``a+b`` in ``object_id`` is two events."""

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        return (
            frame.with_row_index("_row")
            .with_columns(pl.col("object_id").str.split("+"))
            .explode("object_id")
            .with_columns(pl.concat_str("event_id", "object_id", separator=":").alias("event_id"))
        )


def test_a_row_may_become_several_and_is_refused_once(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(
        EVENTS.splitlines()[0] + "\n1,ann,viewed,a+b,2026-01-01,\n2,ann,waved,a+b+c,2026-01-01,\n"
    )
    loaded = Loaded()
    loaded.add(Pairs(), SourceFile(path, "events"), "events")
    assert [(row["event_id"], row["line"]) for row in loaded.rows["events"]] == [("1:a", 2), ("1:b", 2)]
    (refused,) = loaded.rejected["events"]
    assert (refused.line, refused.row["object_id"], loaded.read.total()) == (3, "a+b+c", 3)


def test_a_loader_that_loses_rows_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(EVENTS)
    wrong = type("Wrong", (Broken,), {"fault": "loses"})()
    with pytest.raises(SourceError, match="'generic' broke its contract: 6 rows went in, 4 came out"):
        Loaded().add(wrong, SourceFile(path, "events"), "events")
