"""JSON Lines, Parquet, frames, dicts; files that are not what they say; and all of it through the checks."""

from __future__ import annotations

import datetime as dt
import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from graphprofile.loaders.generic import GenericLoader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from graphprofile.errors import SourceError, UsageError
from graphprofile.ingest.files import expand_paths
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.read import ROWS, read_checked, read_source
from graphprofile.records import DescriptionChunk, EventChunk, Kind, RawChunk, Rejection, SourceFile
from graphprofile.vocabulary import Vocabulary

EVENT = {
    "event_id": "e1",
    "user_id": "u1",
    "event_type": "viewed",
    "object_id": "i1",
    "timestamp": "2010-12-01",
}


def rows(source: Any, **options: Any) -> list[dict[str, Any]]:
    return [row for chunk in read_source(source, **options) for row in chunk.frame.rows(named=True)]


def rejections(chunks: Iterator[Any]) -> list[tuple[int, str]]:
    return [(rejection.line, rejection.reason) for chunk in chunks for rejection in chunk.rejected]


def checked(
    source: Any, *mapping: str, kind: Any = None, **options: Any
) -> list[EventChunk | DescriptionChunk]:
    return list(read_checked(source, GenericLoader(), kind, Mapping.parse(mapping), Vocabulary(), **options))


def events(source: Any, *mapping: str, **options: Any) -> pl.DataFrame:
    return pl.concat(
        [chunk.frame for chunk in checked(source, *mapping, **options) if isinstance(chunk, EventChunk)]
    )


# --- JSON Lines -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["f.jsonl", "f.ndjson", "f.jsonl.gz", "f"])
def test_json_lines(tmp_path: Path, name: str) -> None:
    data = b'\xef\xbb\xbf{"a": 1}\n\n{"a": 2, "b": ["x"]}\r\n{"b": null}'
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    (chunk,) = read_source(path)
    assert list(chunk.lines) == [1, 3, 4]
    assert chunk.frame.rows(named=True) == [{"a": 1, "b": None}, {"a": 2, "b": ["x"]}, {"a": None, "b": None}]
    assert not chunk.fixed_columns


def test_bad_json_lines_are_refused_alone(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": \n[1]\n5\nnull\n{"a": "\xff"}\n{"a": 2}\n{"a": NaN}\n')
    chunks = list(read_source(path))
    assert [row["a"] for chunk in chunks for row in chunk.frame.rows(named=True)] == [1, 2]
    found = rejections(iter(chunks))
    assert [line for line, _ in found] == [2, 3, 4, 5, 6, 8]
    assert found[0][1].startswith("is no JSON: ")
    assert found[1][1] == "is a list, not an object of fields"
    assert found[3][1] == "is a null, not an object of fields"


def test_json_lines_cut_in_half_keep_what_came_before(tmp_path: Path) -> None:
    data = gzip.compress(
        b"".join(orjson.dumps({"a": n, "b": n * 7919 % 10007}) + b"\n" for n in range(50_000))
    )
    path = tmp_path / "f.jsonl.gz"
    path.write_bytes(data[: len(data) // 2])
    chunks = list(read_source(path))
    found = [row["a"] for chunk in chunks for row in chunk.frame.rows(named=True)]
    assert found == list(range(len(found)))
    assert len(found) > 10_000
    assert [r.field for chunk in chunks for r in chunk.rejected] == ["file"]


def test_wide_and_narrow_rows_are_read_in_bounded_chunks(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(b"".join(orjson.dumps({f"k{n}_{m}": 1 for m in range(100)}) + b"\n" for n in range(50)))
    chunks = list(read_source(path))
    assert max(chunk.frame.width for chunk in chunks) <= 1_100
    assert sum(chunk.frame.height for chunk in chunks) == 50
    path.write_bytes(orjson.dumps({f"k{n}": 1 for n in range(1_001)}))
    assert rejections(read_source(path)) == [(1, "has 1001 fields: at most 1000")]


# --- Parquet and frames -----------------------------------------------------------------------------------


def test_parquet_in_chunks_with_row_numbers(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    parquet.write_table(pa.table({"a": list(range(250)), "b": [["x"]] * 250}), path, row_group_size=100)
    chunks = list(read_source(path, chunk_rows=100))
    assert sum(chunk.frame.height for chunk in chunks) == 250
    assert chunks[-1].lines[-1] == 250
    assert (chunks[-1].position, chunks[-1].size) == (250, 250)
    parquet.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    (chunk,) = read_source(path)
    assert (chunk.frame.columns, chunk.frame.height) == (["a"], 0)


def test_a_damaged_parquet_file_keeps_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    numbers = [n * 7919 % 10007 for n in range(40_000)]
    parquet.write_table(
        pa.table({"a": numbers}), path, row_group_size=10_000, compression="gzip", use_dictionary=False
    )
    data = bytearray(path.read_bytes())
    offset = parquet.ParquetFile(path).metadata.row_group(2).column(0).data_page_offset
    data[offset + 100 : offset + 2_000] = bytes(1_900)
    path.write_bytes(data)
    chunks = list(read_source(path, chunk_rows=10_000))
    assert [row["a"] for chunk in chunks for row in chunk.frame.rows(named=True)] == numbers[:20_000]
    ((line, reason),) = rejections(iter(chunks))
    assert (line, "damaged from here on" in reason) == (20_001, True)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceError, match="the Parquet file is damaged"):
        list(read_source(path))


def test_text_in_parquet_that_is_no_utf_8_costs_its_row_only(tmp_path: Path) -> None:
    names = pa.array([b"a", b"\xff", b"c", None, b"\xfe"]).cast(pa.binary()).view(pa.string())
    table = pa.table({"user_id": names, "n": [1, 2, 3, 4, 5]})
    path = tmp_path / "f.parquet"
    parquet.write_table(table, path)
    for source in (path, table):
        (chunk,) = read_source(source)
        assert (list(chunk.lines), chunk.frame.rows()) == ([1, 3, 4], [("a", 1), ("c", 3), (None, 4)])
        assert [(r.line, r.row) for r in chunk.rejected] == [
            (2, {"user_id": "\\xff"}),
            (5, {"user_id": "\\xfe"}),
        ]
        assert {r.reason for r in chunk.rejected} == {"holds text that is not UTF-8: mend it"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=120) | st.text('{}[]":,a1 \n', max_size=60).map(str.encode))
def test_every_line_of_any_json_lines_file_is_a_row_or_refused(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(b'{"a": 1}\n' + body)
    chunks = list(read_source(path))
    seen = [line for chunk in chunks for line in (*chunk.lines, *(r.line for r in chunk.rejected))]
    lines = (b"{}\n" + body).split(b"\n")
    assert sorted(seen) == [n for n, line in enumerate(lines, start=1) if line.strip()]


TABLE = {"user_id": ["u1", "u2"], "n": [1, 2]}


@pytest.mark.parametrize(
    "source",
    [
        pl.DataFrame(TABLE),
        pl.DataFrame(TABLE).lazy(),
        pd.DataFrame(TABLE),
        pd.DataFrame(TABLE, index=[7, 9]),
        pa.table(TABLE),
        [{"user_id": "u1", "n": 1}, {"user_id": "u2", "n": 2}],
        iter([{"user_id": "u1", "n": 1}, {"user_id": "u2", "n": 2}]),
    ],
    ids=["polars", "lazy", "pandas", "pandas index", "arrow", "list", "iterator"],
)
def test_whatever_holds_rows_is_a_source(source: Any) -> None:
    (chunk,) = checked(source)
    assert isinstance(chunk, DescriptionChunk)
    assert [(row.id, row.properties, row.line) for row in chunk.rows] == [
        ("u1", {"n": 1}, 1),
        ("u2", {"n": 2}, 2),
    ]
    assert chunk.source == ROWS


def test_an_arrow_stream_is_read_once() -> None:
    table = pa.table({**TABLE, "when": [dt.datetime(2020, 1, 1), None]})
    (chunk,) = checked(pa.RecordBatchReader.from_batches(table.schema, table.to_batches()))
    assert isinstance(chunk, DescriptionChunk)
    assert chunk.rows[0].properties == {"n": 1, "when": "2020-01-01T00:00:00"}


def test_rows_that_are_no_dicts_are_refused_alone() -> None:
    found = list(read_source([{"a": 1}, 5, "text", {1: 2}, {"\ud800": 1}]))
    assert [chunk.frame.columns for chunk in found] == [["a", "1"]]
    assert rejections(iter(found)) == [
        (2, "is a number, not an object of fields"),
        (3, "is a text, not an object of fields"),
        (5, "has a field whose name is no text"),
    ]


def test_an_iterator_is_not_collected() -> None:
    taken = 0

    def endless() -> Iterator[dict[str, Any]]:
        nonlocal taken
        while True:
            taken += 1
            yield EVENT

    chunks = read_checked(endless(), GenericLoader(), None, Mapping(), Vocabulary(), chunk_rows=10)
    assert next(chunks).read == 10
    assert taken < 70_000


@pytest.mark.parametrize("source", [5, None, {"user_id": ["u1"]}, object()])
def test_what_holds_no_rows_is_a_wrong_call(source: Any) -> None:
    with pytest.raises(UsageError, match="is no source of rows"):
        checked(source)


def test_tables_with_a_name_twice_are_refused() -> None:
    with pytest.raises(SourceError, match="two columns are named a"):
        list(read_source(pa.table([[1], [2]], names=["a", "a"])))


def test_values_of_several_types_stay_what_they_are() -> None:
    values = [1, "x", None, 2.5, True, 2**70, [1]]
    assert [row["a"] for row in rows([{"a": value} for value in values])] == values
    assert [row["a"] for row in rows([{"a": 1}, {"a": 2.5}])] == [1.0, 2.5]


# --- files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("f.csv", b"\x89PNG\r\n\x1a\n", "looks like a PNG picture, not csv"),
        ("f.csv", b"PK\x03\x04xx", "an Excel workbook"),
        ("f.csv", gzip.compress(b"a,b\n", mtime=0), "looks like gzip data"),
        ("f.csv", b'{"a": 1}\n', "looks like JSON, not CSV"),
        ("f.csv", b"<!DOCTYPE html><html>", "looks like a web page"),
        ("f.csv", b"\x00\x01\x02", "looks like binary data"),
        ("f.csv", b"PAR1....PAR1", "looks like a Parquet file, not csv"),
        ("f.csv.gz", b"a,b\n1,2\n", "is not gzip data; it looks like text"),
        ("f.csv.gz", gzip.compress(b"", mtime=0), "empty once decompressed"),
        ("f.csv.gz", gzip.compress(b"a,b\n", mtime=0)[:9], "damaged from the start"),
        ("f.parquet", b"a,b\n1,2\n", "is no Parquet file; it looks like text"),
        ("f.parquet", b"PAR1....PAR1", "the Parquet file is damaged"),
        ("f.jsonl", b"a,b\n1,2\n", "is not JSON Lines: no line begins with"),
        ("f.jsonl", b'[{"a": 1}]', "holds one JSON array"),
        ("f.json", b'[{"a": 1}]', "holds one JSON array"),
        ("f.jsonl", b"", "the file is empty"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SourceError, match=message) as caught:
        list(read_source(path))
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_a_file_that_is_not_there_names_the_closest(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("a\n")
    for call in (lambda path: list(read_source(path)), lambda path: expand_paths([path])):
        with pytest.raises(SourceError, match="no such file") as caught:
            call(tmp_path / "event.csv")
        assert caught.value.hint == f"Did you mean {tmp_path / 'events.csv'}?"
    with pytest.raises(SourceError, match="is a folder"):
        list(read_source(tmp_path))


def test_paths_folders_and_globs_are_expanded(tmp_path: Path) -> None:
    for name in ("b.csv", "a.jsonl.gz", "notes.txt", ".hidden.csv", "sub/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    named = [str(path.relative_to(tmp_path)) for path in expand_paths([tmp_path, tmp_path / "b.csv"])]
    assert named == ["a.jsonl.gz", "b.csv"]
    assert [path.name for path in expand_paths([f"{tmp_path}/**/*.csv"])] == ["b.csv", "c.csv"]
    assert [path.name for path in expand_paths([tmp_path / "notes.txt"])] == ["notes.txt"]
    with pytest.raises(SourceError, match="no file matches"):
        expand_paths([f"{tmp_path}/*.parquet"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="holds no data file"):
        expand_paths([tmp_path / "empty"])


# --- through the checks -------------------------------------------------------------------------------------

RECORDS = [
    EVENT,
    {**EVENT, "event_id": "e2", "value": 2.5, "n": 3},
    {**EVENT, "event_id": "e3", "object_kind": "content", "note": "é"},
]


def test_every_format_gives_the_same_events(tmp_path: Path) -> None:
    frame = pl.DataFrame(RECORDS, infer_schema_length=None)
    frame.write_csv(tmp_path / "f.csv")
    frame.write_csv(tmp_path / "f.tsv", separator="\t")
    frame.write_parquet(tmp_path / "f.parquet")
    (tmp_path / "f.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in RECORDS))
    expected = events(RECORDS).drop("line")
    for name in ("f.csv", "f.tsv"):
        # Text has no types: they are named where they matter.
        assert events(tmp_path / name, "n:int=n").drop("line").equals(expected)
    for source in (tmp_path / "f.parquet", tmp_path / "f.jsonl", frame, frame.to_arrow()):
        assert events(source).drop("line").equals(expected)
    # pandas has no missing integers: 3 comes as 3.0, which is the same content.
    assert events(frame.to_pandas()).drop("line", "properties").equals(expected.drop("properties"))


def test_the_size_of_chunks_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    lines = [f"u{n % 7},viewed,i{n % 3},{1_000_000 + n % 5}" for n in range(500)]
    path.write_text("\n".join(["user_id,event_type,object_id,timestamp", *lines, "bad", ""]))
    whole = events(path)
    assert whole["event_id"].n_unique() == 500
    for size in (7, 100, 10_000):
        chunks = checked(path, chunk_rows=size)
        assert max(chunk.read for chunk in chunks) <= size + 1
        assert events(path, chunk_rows=size).equals(whole)
        assert rejections(iter(chunks)) == [(502, "has 1 field, the header has 4")]
        assert sum(chunk.read for chunk in chunks) == 501


def test_the_quarantine_gets_rows_under_their_own_names(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("who,what,when\nu1,i1,2010\n,i2,2011\n")
    (chunk,) = checked(path, "user_id=who", "object_id=what", "timestamp=when", "event_type==viewed")
    assert chunk.read == 2
    assert chunk.rejected == [
        Rejection(
            str(path),
            3,
            "user_id",
            "is missing: every row needs one",
            {"who": "", "what": "i2", "when": "2011"},
        )
    ]


class Choosy(GenericLoader):
    """Leaves out what is not for sale, and says why."""

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        return frame.with_columns(
            pl.when(pl.col("user_id") == "")
            .then(pl.lit("nobody"))
            .when(pl.col("object_id") == "x")
            .then(pl.lit("not for sale"))
            .alias("_skip")
        )


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
def test_what_a_loader_leaves_out_is_counted_and_not_read(
    chunk_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphprofile.ingest.read.CHECK_ROWS", chunk_rows)
    table = pl.DataFrame(
        [
            {**EVENT, "event_id": str(number), "user_id": user, "object_id": item}
            for number, (user, item) in enumerate(
                [("", "x"), ("u", "i"), ("u", "x"), ("", "i"), ("u", "\0"), ("v", "i")]
            )
        ]
    )
    chunks = list(read_checked(table, Choosy(), "events", Mapping(), Vocabulary(), chunk_rows=chunk_rows))
    skipped: Counter[str] = Counter()
    for chunk in chunks:
        assert isinstance(chunk, EventChunk)
        skipped.update(chunk.skipped)
    assert skipped == {"nobody": 2, "not for sale": 1}
    assert sum(chunk.read for chunk in chunks) == 3
    assert [line for chunk in chunks for line in chunk.frame["line"]] == [2, 6]  # type: ignore[union-attr]
    assert [(r.line, r.row["event_id"]) for chunk in chunks for r in chunk.rejected] == [(5, "4")]


def test_a_column_of_the_source_cannot_leave_rows_out() -> None:
    (chunk,) = checked([{**EVENT, "_skip": "yes"}], kind="events")
    assert isinstance(chunk, EventChunk)
    assert (chunk.read, chunk.skipped, chunk.frame["properties"][0]) == (1, {}, '{"_skip":"yes"}')


def test_missing_columns_stop_a_table_and_not_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("customer,event_type,object_id,timestamp\nu1,viewed,i1,2010\n")
    with pytest.raises(SourceError, match=r"f\.csv: no column user_id; its columns: customer, ") as caught:
        checked(path)
    assert caught.value.hint == "Say which column holds it: --map user_id=customer."
    lacking = {name: value for name, value in EVENT.items() if name != "user_id"}
    (chunk,) = checked([lacking, EVENT])
    assert (chunk.read, [r.field for r in chunk.rejected]) == (2, ["user_id"])
    path = tmp_path / "f.jsonl"
    path.write_bytes(orjson.dumps(lacking))
    with pytest.raises(SourceError, match="no column user_id"):
        checked(path)


def test_zone_unit_and_now_are_the_callers(tmp_path: Path) -> None:
    assert (
        events([{**EVENT, "timestamp": "2010-12-01 01:00"}], time_zone="Europe/Paris")["ts"][0]
        == 1_291_161_600_000
    )
    assert (
        events([{**EVENT, "timestamp": 1_291_161_600_000_000}], time_unit="us")["ts"][0] == 1_291_161_600_000
    )
    (chunk,) = checked([EVENT], now_ms=0)
    assert "in the future" in chunk.rejected[0].reason


def test_no_rows_are_a_chunk_without_rows(tmp_path: Path) -> None:
    (chunk,) = checked([], kind="events")
    assert (chunk.read, chunk.rejected) == (0, [])
    path = tmp_path / "f.csv"
    path.write_text("user_id,event_type,object_id,timestamp\n")
    (chunk,) = checked(path)
    assert (chunk.kind, chunk.read) == ("events", 0)


def test_source_files_carry_their_kind(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("user_id,item_id\nu,i\n")
    (chunk,) = checked(SourceFile(path, "items"))
    assert isinstance(chunk, DescriptionChunk)
    assert (chunk.rows[0].id, chunk.rows[0].properties) == ("i", {"user_id": "u"})
    assert isinstance(next(read_source(path, "items")), RawChunk)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
RECORD = st.dictionaries(
    st.sampled_from([*EVENT, "value", "tags", "x"]) | st.text(max_size=4), JSON, max_size=6
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(RECORD | RECORD.map(lambda row: {**row, **EVENT}) | JSON, max_size=8),
    st.sampled_from(["events", "items"]),
)
def test_every_row_of_any_source_is_applied_or_refused(values: list[Any], kind: Any) -> None:
    chunks = checked(values, kind=kind)
    good = [chunk.frame.height if isinstance(chunk, EventChunk) else len(chunk.rows) for chunk in chunks]
    bad = [len(chunk.rejected) for chunk in chunks]
    assert sum(good) + sum(bad) == sum(chunk.read for chunk in chunks) == len(values)
