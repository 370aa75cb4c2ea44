"""CSV files: every line is a row or a refusal, at its own line number, whatever the file is like."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphprofile.errors import SourceError
from graphprofile.ingest import read as reading
from graphprofile.ingest import text
from graphprofile.ingest.read import read_source
from graphprofile.records import RawChunk, SourceFile

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(content: str | bytes, name: str = "f.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return to_file


def rows(source: Any, **options: Any) -> list[tuple[Any, ...]]:
    """Good rows as (line, cell, …)."""
    found = []
    for chunk in read_source(source, **options):
        found += [(line, *cells) for line, cells in zip(chunk.lines, chunk.frame.rows(), strict=True)]
    return found


def refused(source: Any) -> list[tuple[int, str, Any]]:
    return [(r.line, r.reason, r.row) for chunk in read_source(source) for r in chunk.rejected]


def test_rows_have_their_line_numbers(write: Write) -> None:
    path = write('a,b\n1,x\n\n2,"y\nz"\n3,"q ""r"", s"\r\n')
    assert rows(path) == [(2, "1", "x"), (4, "2", "y\nz"), (6, "3", 'q "r", s')]
    assert refused(path) == []


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_separator_is_told_by_the_header(write: Write, sign: str) -> None:
    assert rows(write(f"a{sign}b\n1{sign}2\n")) == [(2, "1", "2")]


def test_a_tsv_has_tabs_and_a_source_may_name_its_own(write: Write) -> None:
    assert rows(write("a,x\tb\n1,2\t3\n", "f.tsv")) == [(2, "1,2", "3")]
    assert rows(SourceFile(write("a,b;c\n1,2;3\n"), "events", separator=";")) == [(2, "1,2", "3")]


def test_a_file_may_have_no_header_and_no_quoting(write: Write) -> None:
    source = SourceFile(write('1|"x\n2|y"\n'), "items", separator="|", columns=("a", "b"), quoting=False)
    assert rows(source) == [(1, "1", '"x'), (2, "2", 'y"')]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings(write: Write, ending: str) -> None:
    assert rows(write(ending.join(["a,b", "1,2", "3,4", ""]))) == [(2, "1", "2"), (3, "3", "4")]
    assert rows(write(ending.join(["a,b", "1,2", '3,"4"']))) == [(2, "1", "2"), (3, "3", "4")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(write: Write, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path = write(f"{mark}é,b\nü,2\n".encode(encoding))
    (chunk,) = read_source(path)
    assert (chunk.frame.columns, chunk.frame.rows()) == (["é", "b"], [("ü", "2")])


def test_other_encodings_are_said(write: Write) -> None:
    path = write("a,b\nMünchen,1\n".encode("latin-1"))
    assert rows(SourceFile(path, "events", encoding="latin-1")) == [(2, "München", "1")]
    assert refused(path) == [(2, "is not UTF-8: save the file as UTF-8", "M\\xfcnchen,1")]
    # 0x81 means nothing in cp1252: that line alone is refused.
    path = write(b"a,b\nx,\x80\ny,\x81\nz,1\n")
    assert rows(SourceFile(path, "events", encoding="cp1252")) == [(2, "x", "€"), (4, "z", "1")]
    with pytest.raises(SourceError, match="Unknown encoding 'klingon'"):
        rows(SourceFile(path, "events", encoding="klingon"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1", "has 1 field, the header has 2"),
        ("1,2,3", "has 3 fields, the header has 2"),
        ("1,\0", "holds NUL bytes"),
        ('1,"open', "opens a quote that nothing closes"),
        ('1,"x"y', "has a quote that is not closed, or text after a closing quote"),
        ("1," + "x" * (text.MAX_FIELD + 1), "has a field of more than 1 MiB"),
    ],
    ids=["short", "long", "nul", "open quote", "stray quote", "large field"],
)
def test_a_bad_line_is_refused_alone(write: Write, line: str, reason: str) -> None:
    path = write(f"a,b\n0,good\n{line}\n9,good\n")
    assert rows(path) == [(2, "0", "good"), (4, "9", "good")]
    assert refused(path) == [(3, reason, line)]
    (chunk,) = read_source(path)
    assert (chunk.rejected[0].columns, chunk.rejected[0].separator) == (("a", "b"), ",")


def test_a_byte_that_is_no_text_costs_its_line_only(write: Write) -> None:
    path = write(b'a,b\n0,"x\ny"\n1,\xff\n2,"p\n\xfe\nq"\n3,z\n')
    assert rows(path) == [(2, "0", "x\ny"), (8, "3", "z")]
    assert [line for line, _, _ in refused(path)] == [4, 5, 6, 7]


def test_an_open_quote_swallows_nothing(write: Write) -> None:
    good = [(n, str(n), "x") for n in range(3, 2_000)]
    body = "".join(f"{n},x\n" for n in range(3, 2_000))
    for end in ("", '5,"y\n', "6,y\n"):
        path = write(f'a,b\n1,"oops\n{body}{end}')
        assert [row for row in rows(path) if row[0] < 2_000] == good


def test_records_and_open_quotes_may_cross_blocks(write: Write) -> None:
    content = "a,b\n" + "".join(f'{n},"line\nof {n}"\n{n},plain\n' for n in range(40)) + '40,"open\n41,x\n'
    path = write(content)
    whole, whole_refused = rows(path), refused(path)
    assert len(whole) == 81
    for size in (3, 7, 16, 64):
        found = list(reading._file_chunks(SourceFile(path, "events"), "events", 20_000, block_size=size))
        assert _pairs(found) == whole
        assert [(r.line, r.reason, r.row) for chunk in found for r in chunk.rejected] == whole_refused


def _pairs(chunks: list[RawChunk]) -> list[tuple[Any, ...]]:
    return [(n, *row) for chunk in chunks for n, row in zip(chunk.lines, chunk.frame.rows(), strict=True)]


def test_a_line_without_end_is_skipped(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MAX_LINE", 5_000_000)
    path = write("a,b\n1,2\n" + "x" * 12_000_000 + "\n3,4\n")
    assert rows(path) == [(2, "1", "2"), (4, "3", "4")]
    ((line, reason, row),) = refused(path)
    assert (line, reason, row) == (3, "is longer than 16 MiB; its start is kept here", "x" * text.SHOWN)


def test_chunks_have_the_size_asked_for_and_say_how_far_they_are(write: Write) -> None:
    path = write("a,b\n" + "".join(f"{n},y\n" for n in range(250)))
    chunks = list(read_source(path, chunk_rows=100))
    assert [chunk.frame.height for chunk in chunks] == [100, 100, 50]
    assert chunks[-1].lines[-1] == 251
    assert (chunks[-1].position, chunks[-1].size) == (path.stat().st_size, path.stat().st_size)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "holds no header"),
        ("a,,b\n1,2,3\n", "column 2 of the header has no name"),
        ("a,b,a\n1,2,3\n", "names a twice"),
        ('a,"b\n1,2\n', "the header cannot be read"),
        (",,\n", "names no columns"),
        (b"\xff\xfa\xfb,b\n1,2\n", "the header is not UTF-8"),
        ("x" * 10, None),
    ],
)
def test_headers(write: Write, content: str | bytes, message: str | None) -> None:
    path = write(content)
    if message is None:
        assert rows(path) == []
        return
    with pytest.raises(SourceError, match=message):
        rows(path)


def test_a_header_alone_is_a_table_without_rows(write: Write) -> None:
    (chunk,) = read_source(write("user_id,event_type\n"))
    assert (chunk.frame.columns, chunk.frame.height, chunk.rejected) == (["user_id", "event_type"], 0, [])


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue().to_pybytes())


COMPRESS = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress, ".zst": zstd}
LONG = "a,b\n" + "".join(f"{n},{n * 7919 % 10007}\n" for n in range(200_000))


@pytest.mark.parametrize("suffix", list(COMPRESS))
def test_compressed_files(write: Write, suffix: str) -> None:
    assert rows(write(COMPRESS[suffix](b"a,b\n1,2\n"), f"f.csv{suffix}")) == [(2, "1", "2")]


@pytest.mark.parametrize("suffix", list(COMPRESS))
def test_a_compressed_file_cut_in_half_keeps_what_came_before(write: Write, suffix: str) -> None:
    data = COMPRESS[suffix](LONG.encode())
    path = write(data[: len(data) // 2], f"f.csv{suffix}")
    found = rows(path)
    assert len(found) > 10_000 or suffix == ".bz2"
    assert found == [(n + 2, str(n), str(n * 7919 % 10007)) for n in range(len(found))]
    ((line, reason, _),) = refused(path)
    assert line == len(found) + 2
    assert "the file is cut or damaged here" in reason
    assert [r.field for chunk in read_source(path) for r in chunk.rejected] == ["file"]


def test_a_file_cut_in_its_header_is_refused(write: Write) -> None:
    data = gzip.compress(("name_" * 50 + ",").encode() * 400)
    with pytest.raises(SourceError, match="cut or damaged before its first line ends"):
        rows(write(data[:-20], "f.csv.gz"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200) | st.text('ab,"\n\r\0é;', max_size=60).map(str.encode))
def test_every_line_of_any_file_is_a_row_or_refused(write: Write, body: bytes) -> None:
    header = b"a,b\n1,2\n"
    chunks = list(read_source(write(header + body)))
    good = [line for chunk in chunks for line in chunk.lines]
    bad = [r.line for chunk in chunks for r in chunk.rejected]
    assert good == sorted(set(good))
    assert not set(good) & set(bad)
    assert good[0] == 2
    if b'"' not in body and b"\r" not in body:
        lines = [n for n, line in enumerate((header + body).split(b"\n"), start=1) if line and n > 1]
        assert sorted(good + bad) == lines


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS).filter(any), max_size=12), st.integers(1, 40))
def test_what_a_csv_writer_wrote_is_read_back(write: Write, table: list[tuple[str, ...]], size: int) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([("a", "b", "c"), *table])
    path = write(out.getvalue())
    chunks = list(reading._file_chunks(SourceFile(path, "events"), "events", 20_000, block_size=size))
    assert [row for chunk in chunks for row in chunk.frame.rows()] == table
    assert not any(chunk.rejected for chunk in chunks)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text("abé ;|'", max_size=5).filter(bool), min_size=1, max_size=20))
def test_the_fast_and_the_careful_way_agree(write: Write, cells: list[str]) -> None:
    body = "".join(f"{cell},{cell * n}\n" for n, cell in enumerate(cells)).encode()
    parser = text.CsvLines(("a", "b"), ",", quoting=True)
    fast, careful = parser._fast(body, 2), parser._careful(body, 2, True)
    assert fast is not None
    assert fast.frame.equals(careful.frame)
    assert fast.lines.tolist() == careful.lines.tolist()


@settings(deadline=None)
@given(st.lists(st.text('ab",;é', max_size=8).filter(bool), min_size=1, max_size=8))
def test_quoted_lines_in_one_go_are_what_they_are_one_by_one(lines: list[str]) -> None:
    body = "".join(f"{line}\n" for line in lines).encode()
    parser = text.CsvLines(("a", "b"), ",", quoting=True)
    quick, careful = parser._plain_quotes(body, 2), parser._careful(body, 2, True)
    if quick is not None:
        assert careful.refused == []
        assert quick.frame.equals(careful.frame)
        assert quick.lines.tolist() == careful.lines.tolist()
