"""JSON documents that hold their rows in an array: one, several, large, cut, damaged, in pieces."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from graphprofile.ingest.read import _file_chunks
from graphprofile.records import SourceFile

ROWS = [{"a": n, "s": 'x"],[{\\', "l": [{"items": [1]}, {"c": "}, {"}], "items": {}} for n in range(50)]
HEAD = {"type": "Page", "of": {"items": [{"a": -1}]}, "list": [[{"items": []}]], "text": '"items": ['}
TAIL = {"more": "", "next": {"items": [{"a": -2}]}}


def page(rows: list[dict[str, object]]) -> dict[str, object]:
    return {**HEAD, "items": rows, **TAIL}


def read(
    path: Path, content: bytes, block_size: int = 1 << 22, inside: tuple[str, ...] = ("items", "first.items")
) -> tuple[list[int], list[tuple[int, str, str]]]:
    path.write_bytes(content)
    numbers: list[int] = []
    refused: list[tuple[int, str, str]] = []
    source = SourceFile(path, "events", "json", inside=inside)
    for chunk in _file_chunks(source, "events", 7, block_size):
        numbers += chunk.frame["a"].to_list() if "a" in chunk.frame.columns else []
        refused += [(one.line, one.field, one.reason.partition(":")[0]) for one in chunk.rejected]
    return numbers, refused


@pytest.mark.parametrize("option", [0, orjson.OPT_INDENT_2])
@pytest.mark.parametrize("block_size", [64, 300, 1 << 22])
def test_a_document_is_read_in_pieces_of_any_size(tmp_path: Path, option: int, block_size: int) -> None:
    path = tmp_path / "rows.json"
    content = orjson.dumps(page(ROWS), option=option)
    assert read(path, content, block_size) == (list(range(50)), [])
    assert read(path, b"\xef\xbb\xbf \n" + content + b"\n\n", block_size) == (list(range(50)), [])
    inner = orjson.dumps({"first": {"id": 1, "items": ROWS[:3]}, "items": ROWS[3:]}, option=option)
    assert read(path, inner, block_size) == (list(range(50)), [])


@pytest.mark.parametrize("option", [0, orjson.OPT_INDENT_2])
@pytest.mark.parametrize("block_size", [64, 700, 1 << 22])
def test_documents_follow_each_other(tmp_path: Path, option: int, block_size: int) -> None:
    """Pages as they came, an empty one and an object that is a row itself among them."""
    documents = [page(ROWS[:20]), page([]), ROWS[20], page(ROWS[21:])]
    content = b"\n".join(orjson.dumps(document, option=option) for document in documents)
    assert read(tmp_path / "rows.json", content, block_size) == (list(range(50)), [])


def test_pretty_printed_rows_need_no_array(tmp_path: Path) -> None:
    content = b"\n".join(orjson.dumps(row, option=orjson.OPT_INDENT_2) for row in ROWS)
    assert read(tmp_path / "rows.json", content) == (list(range(50)), [])


def test_compressed(tmp_path: Path) -> None:
    assert read(tmp_path / "rows.json.gz", gzip.compress(orjson.dumps(page(ROWS)))) == (list(range(50)), [])


@pytest.mark.parametrize("cut", [60, 240, 500, 1_000, 2_000])
def test_a_cut_document_keeps_what_came_before(tmp_path: Path, cut: int) -> None:
    numbers, refused = read(tmp_path / "rows.json", orjson.dumps({"items": ROWS, **TAIL})[:cut])
    assert numbers == list(range(len(numbers)))
    assert sum(len(orjson.dumps(row)) + 1 for row in ROWS[: len(numbers) + 1]) + 10 > cut
    assert [(line, field) for line, field, _ in refused] == [(len(numbers) + 1, "file")]


def test_bad_rows_and_lines_cost_only_themselves(tmp_path: Path) -> None:
    content = (
        b'{"items":[{"a":1},nonsense,{"a":2}, 3]}\nnothing\n{"items":[{"a":3}]}\n{"items":["x",{"a":4}]}'
    )
    assert read(tmp_path / "rows.json", content) == (
        [1, 2, 3, 4],
        [
            (2, "row", "is no JSON"),
            (4, "row", "is a number, not an object of fields"),
            (5, "row", "is no JSON"),
            (7, "row", "is a text, not an object of fields"),
        ],
    )


def test_lines_stay_lines(tmp_path: Path) -> None:
    """A file that begins with a row is JSON Lines, whatever its rows hold further inside."""
    row = {"a": 1, "object": {"items": [{"a": 2}]}}
    assert read(tmp_path / "rows.json", (orjson.dumps(row) + b"\n") * 3) == ([1, 1, 1], [])
    assert read(tmp_path / "rows.json", b'{"a": broken\n{"a": 1}\n') == ([1], [(1, "row", "is no JSON")])
    plain = orjson.dumps(page(ROWS)) + b"\n"
    assert read(tmp_path / "rows.json", plain, inside=()) == ([], [])
