"""One JSON array as rows: whole, cut, damaged, in pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from graphprofile.ingest.read import _file_chunks, read_source
from graphprofile.records import SourceFile

ROWS = [{"a": n, "s": 'x"],[{\\', "l": [{"b": 1}, {"c": "}, {"}], "o": {}} for n in range(50)]


def read(
    path: Path, content: bytes, block_size: int = 1 << 22
) -> tuple[list[int], list[tuple[int, str, str]]]:
    path.write_bytes(content)
    numbers: list[int] = []
    refused: list[tuple[int, str, str]] = []
    for chunk in _file_chunks(SourceFile(path, "events", "json"), "events", 7, block_size):
        numbers += chunk.frame["a"].to_list() if "a" in chunk.frame.columns else []
        refused += [(one.line, one.field, one.reason) for one in chunk.rejected]
    return numbers, refused


@pytest.mark.parametrize("option", [0, orjson.OPT_INDENT_2])
@pytest.mark.parametrize("block_size", [64, 300, 1 << 22])
def test_an_array_is_read_in_pieces_of_any_size(tmp_path: Path, option: int, block_size: int) -> None:
    content = orjson.dumps(ROWS, option=option)
    assert read(tmp_path / "rows.json", content, block_size) == (list(range(50)), [])
    assert read(tmp_path / "rows.json", b"\xef\xbb\xbf \n" + content + b"\n\n", block_size) == (
        list(range(50)),
        [],
    )


@pytest.mark.parametrize("cut", [1, 2, 40, 200, 1_000, 2_000])
def test_a_cut_array_keeps_what_came_before(tmp_path: Path, cut: int) -> None:
    content = orjson.dumps(ROWS)
    numbers, refused = read(tmp_path / "rows.json", content[:cut])
    assert numbers == list(range(len(numbers)))
    assert sum(len(orjson.dumps(row)) + 1 for row in ROWS[: len(numbers) + 1]) + 1 > cut
    assert [(line, field) for line, field, _ in refused] == [(len(numbers) + 1, "file")]


def test_bad_elements_cost_only_themselves(tmp_path: Path) -> None:
    numbers, refused = read(tmp_path / "rows.json", b'[{"a":1},nonsense,{"a":2}, 3 ,{"a":\xff},{"a":3}]')
    assert numbers == [1, 2, 3]
    assert [(line, field, reason.partition(":")[0]) for line, field, reason in refused] == [
        (2, "row", "is no JSON"),
        (4, "row", "is a number, not an object of fields"),
        (5, "row", "is no JSON"),
    ]


@pytest.mark.parametrize(("content", "refused"), [(b"[]", 0), (b" [ ]\n", 0), (b'[{"a":1}] x', 1)])
def test_the_ends_of_an_array(tmp_path: Path, content: bytes, refused: int) -> None:
    assert len(read(tmp_path / "rows.json", content)[1]) == refused


def test_a_file_that_begins_with_no_bracket_is_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in ROWS))
    chunks: list[Any] = list(read_source(SourceFile(path, "events", "json")))
    assert sum(chunk.frame.height for chunk in chunks) == 50
