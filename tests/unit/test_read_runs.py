"""Records that are runs of lines: unfolded, whole or cut, in pieces, with pictures that are not kept."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from graphprofile.errors import SourceError
from graphprofile.ingest.quarantine import Origin, QuarantinedRow
from graphprofile.ingest.read import _file_chunks
from graphprofile.records import Runs, SourceFile

MARKS = Runs("BEGIN:VCARD", "END:VCARD", r"(?i)PHOTO[;:]", r"AGENT:")


def read(
    path: Path, content: bytes, block_size: int = 1 << 22
) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    path.write_bytes(content)
    records: list[tuple[int, str]] = []
    refused: list[tuple[int, str]] = []
    for chunk in _file_chunks(SourceFile(path, "users", "runs", runs=MARKS), "users", 3, block_size):
        records += zip(chunk.lines, chunk.frame["record"].to_list(), strict=True)
        refused += [(one.line, one.reason) for one in chunk.rejected]
    return records, refused


@pytest.mark.parametrize("block_size", [5, 17, 1 << 22])
def test_records_are_unfolded_within_characters_too(tmp_path: Path, block_size: int) -> None:
    content = b"BEGIN:VCARD\r\nFN:caf\xc3\r\n \xa9 \r\n  au lait\r\nend:vcard\r\n\r\nBEGIN:VCARD\r\nEND:VCARD"
    assert read(tmp_path / "f.vcf", content, block_size) == (
        [(1, "BEGIN:VCARD\nFN:café  au lait\nend:vcard"), (7, "BEGIN:VCARD\nEND:VCARD")],
        [],
    )


def test_what_stands_between_records_and_what_does_not_end_is_a_record_too(tmp_path: Path) -> None:
    content = b"stray\nBEGIN:VCARD\nA:1\nBEGIN:VCARD\nB:2\nEND:VCARD\nEND:VCARD\nBEGIN:VCARD\nC:3\n"
    assert read(tmp_path / "f.vcf", content)[0] == [
        (1, "stray"),
        (2, "BEGIN:VCARD\nA:1"),
        (4, "BEGIN:VCARD\nB:2\nEND:VCARD"),
        (7, "END:VCARD"),
        (8, "BEGIN:VCARD\nC:3"),
    ]


def test_a_record_within_another_belongs_to_it(tmp_path: Path) -> None:
    content = b"BEGIN:VCARD\nAGENT:\nBEGIN:VCARD\nA:1\nEND:VCARD\nB:2\nEND:VCARD\n"
    assert read(tmp_path / "f.vcf", content)[0] == [(1, content.decode().strip())]


def test_bytes_that_are_no_text_cost_their_record(tmp_path: Path) -> None:
    content = b"BEGIN:VCARD\nFN:a\nNOTE:\xe9t\xe9\nEND:VCARD\n\xff\nBEGIN:VCARD\nB:\0\nEND:VCARD\n"
    content += b"BEGIN:VCARD\nEND:VCARD\n"
    records, refused = read(tmp_path / "f.vcf", content)
    assert records == [(9, "BEGIN:VCARD\nEND:VCARD")]
    assert [(line, reason.partition(":")[0]) for line, reason in refused] == [
        (1, "is not UTF-8 in its field 3, 'NOTE"),
        (5, "is not UTF-8 in its field 1, '\\\\xff'"),
        (6, "holds NUL bytes"),
    ]


def test_pictures_are_left_out_however_they_are_folded(tmp_path: Path) -> None:
    picture = b"PHOTO;ENCODING=b:" + b"A" * 60 + b"\n " + b"B" * 60 + b"\nphoto:CC\nCCCC\n\nFN:a\n"
    content = b"BEGIN:VCARD\n" + picture + b"END:VCARD\n"
    assert read(tmp_path / "f.vcf", content)[0] == [(1, "BEGIN:VCARD\nFN:a\nEND:VCARD")]


def test_a_picture_of_any_size_is_passed_over_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "f.vcf"
    folded = b" " + b"A" * 75 + b"\n"
    with path.open("wb") as file:
        file.write(b"BEGIN:VCARD\nPHOTO:" + b"A" * (40 << 20) + b"\nFN:a\nEND:VCARD\n")
        file.write(b"BEGIN:VCARD\nPHOTO:\n" + folded * 400_000 + b"FN:b\nEND:VCARD\n")
    tracemalloc.start()
    found = [
        text
        for chunk in _file_chunks(SourceFile(path, "users", "runs", runs=MARKS), "users", 100)
        for text in chunk.frame["record"].to_list()
    ]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == ["BEGIN:VCARD\nFN:a\nEND:VCARD", "BEGIN:VCARD\nFN:b\nEND:VCARD"]
    assert peak < 120 << 20


def test_any_other_text_that_is_too_long_costs_its_record(tmp_path: Path) -> None:
    whole = b"BEGIN:VCARD\nFN:b\nEND:VCARD\n"
    long = b"BEGIN:VCARD\nNOTE:" + b"x" * 2_000_000 + b"\nEND:VCARD\n"
    longer = b"BEGIN:VCARD\nNOTE:" + b"x" * (30 << 20) + b"\nEND:VCARD\n"
    many = b"BEGIN:VCARD\n" + (b"N:" + b"x" * 500_000 + b"\n") * 40 + b"END:VCARD\n"
    records, refused = read(
        tmp_path / "f.vcf", whole + long + longer + b"y" * (30 << 20) + b"\n" + many + whole
    )
    assert [line for line, _ in records] == [1, 53]
    assert refused == [
        (4, "has a field of more than 1 MiB"),
        (7, "has a line longer than 16 MiB: 8"),
        (10, "is longer than 16 MiB; its start is kept here"),
        (11, "is longer than 16 MiB"),
    ]


def test_a_file_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no line of its beginning is BEGIN:VCARD; the first is 'a,b'"):
        read(tmp_path / "f.vcf", b"a,b\n1,2\n")


def test_a_refused_record_can_be_mended(tmp_path: Path) -> None:
    path = tmp_path / "f.vcf"
    path.write_bytes(b"BEGIN:VCARD\nFN:\xff\nEND:VCARD\n")
    (chunk,) = _file_chunks(SourceFile(path, "users", "runs", runs=MARKS), "users", 100)
    row = QuarantinedRow.of(chunk.rejected[0], Origin("users", "contacts"))
    assert row.columns == {"record": "BEGIN:VCARD\nFN:\\xff\nEND:VCARD"}
