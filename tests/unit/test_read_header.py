"""Headers of more than one line, as a loader tells them, and columns that say the same in every row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from graphprofile.errors import SourceError
from graphprofile.ingest.quarantine import Origin, QuarantinedRow
from graphprofile.ingest.read import _file_chunks, read_source
from graphprofile.ingest.seen import FileKeys
from graphprofile.records import Rejection, SourceFile

Records = Sequence[Sequence[str]]


def two(records: Records) -> tuple[int, Sequence[str]]:
    """Two records of header, their cells joined."""
    return 2, [" ".join(f"{a} {b}".split()) for a, b in zip(*records[:2], strict=True)]


def read(
    path: Path, content: str | bytes, block_size: int = 1 << 22, **more: object
) -> list[tuple[object, ...]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    source = SourceFile(path, "users", heading=two, **more)  # type: ignore[arg-type]
    found: list[tuple[object, ...]] = []
    for chunk in _file_chunks(source, "users", 100, block_size):
        assert chunk.frame.columns == ["a 1", "b c 2"]
        found += [(line, *row) for line, row in zip(chunk.lines, chunk.frame.rows(), strict=True)]
        found += [(one.line, one.reason) for one in chunk.rejected]
    return found


HEADER = 'a,"b\nc"\n1,"2\n"\n'


@pytest.mark.parametrize("block_size", [4, 9, 1 << 22])
@pytest.mark.parametrize("before", ["", "\n\n", "\ufeff"])
def test_a_header_of_two_records_with_newlines_in_quotes(
    tmp_path: Path, block_size: int, before: str
) -> None:
    blank = before.count("\n")
    rows = read(tmp_path / "f.csv", f'{before}{HEADER}x,y\n"p\nq",r\n', block_size)
    assert rows == [(5 + blank, "x", "y"), (6 + blank, "p\nq", "r")]


def test_windows_line_ends_and_other_separators(tmp_path: Path) -> None:
    assert read(tmp_path / "f.csv", HEADER.replace(",", ";").replace("\n", "\r\n") + "x;y\r\n") == [
        (5, "x", "y")
    ]
    assert read(tmp_path / "f.tsv", HEADER.replace(",", "\t") + "x\ty\n") == [(5, "x", "y")]


def test_a_header_alone_holds_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path / "f.csv", HEADER) == []
    assert read(tmp_path / "f.csv", HEADER.rstrip("\n")) == []


def test_bad_rows_behind_the_header_are_refused_as_rows(tmp_path: Path) -> None:
    rows = read(tmp_path / "f.csv", HEADER.encode() + b'\xff,y\nx,"y\nx,y\n')
    assert sorted(map(str, rows)) == [
        "(5, 'is not UTF-8: save the file as UTF-8')",
        "(6, 'opens a quote that nothing closes')",
        "(7, 'x', 'y')",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'a,"b\n1,2\n', "opens a quote that nothing closes"),
        (b"a,\xff\n1,2\nx,y\n", "the header is not UTF-8"),
        (b"a,a\n1,1\nx,y\n", "names a 1 twice"),
        (b"\n \n", "no header and no rows"),
    ],
)
def test_a_header_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read(tmp_path / "f.csv", content)


def test_constants_stand_in_every_row_and_go_along_into_the_quarantine(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("a,b\n1,2\n3\n")
    source = SourceFile(path, "users", constants=(("survey", "s"), ("b", "never")))
    (chunk,) = read_source(source)
    assert chunk.frame.rows(named=True) == [{"a": "1", "b": "2", "survey": "s"}]
    (refused,) = chunk.rejected
    row = QuarantinedRow.of(Rejection(**{**vars(refused), "row": "3,4"}), Origin("users", "survey"))
    assert row.columns == {"a": "3", "b": "4", "survey": "s"}


def test_a_file_with_other_constants_has_not_been_seen(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("a\n1\n")
    keys = FileKeys(())
    plain, named = (SourceFile(path, "users", constants=one) for one in ((), (("survey", "s"),)))
    assert keys.of(plain) != keys.of(named)
