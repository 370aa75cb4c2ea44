"""Whose a refused row is: of the batches that refused it in the same way, and of none that is undone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson
import pytest

from graphprofile.errors import ConfigError, SourceError
from graphprofile.ingest.quarantine import QuarantineWriter, list_quarantine, quarantine_path, read_quarantine
from graphprofile.ingest.refusals import Refusals
from graphprofile.ingest.undone import require_readable, set_aside
from graphprofile.records import Rejection


def refuse(data: Path, batch: str, lines: Iterable[int], mapping: Iterable[str] = ()) -> Path | None:
    with Refusals(QuarantineWriter(data, batch, mapping=tuple(mapping)), data) as refusals:
        for line in lines:
            refusals.add([Rejection("f.csv", line, "timestamp", "is no time", {"n": str(line)})])
        return refusals.close()


def lines_of(data: Path) -> dict[str, list[int]]:
    """Open rows by batch."""
    return {
        entry.batch: [row.rejection.line for row in read_quarantine(entry.path)]
        for entry in list_quarantine(data)
    }


def undone(data: Path, batch: str) -> list[int]:
    path = quarantine_path(data, batch).with_suffix(".undone")
    return [row.rejection.line for row in read_quarantine(path)]


def test_a_row_lies_there_once_however_often_it_is_refused_in_the_same_way(tmp_path: Path) -> None:
    first = refuse(tmp_path, "b1", [1, 2])
    assert refuse(tmp_path, "b2", [1, 2]) == first
    assert refuse(tmp_path, "b3", [2, 3]) == quarantine_path(tmp_path, "b3")
    assert lines_of(tmp_path) == {"b1": [1, 2], "b3": [3]}


def test_read_by_another_mapping_it_is_another_refusal(tmp_path: Path) -> None:
    refuse(tmp_path, "b1", [1, 2], ["timestamp=a"])
    refuse(tmp_path, "b2", [1], ["timestamp=b"])
    refuse(tmp_path, "b3", [1, 2], ["timestamp=a"])
    assert lines_of(tmp_path) == {"b1": [1, 2], "b2": [1]}


def test_rows_leave_with_their_batch(tmp_path: Path) -> None:
    refuse(tmp_path, "b1", [1, 2])
    assert set_aside(tmp_path, "b1") == 2
    assert (lines_of(tmp_path), undone(tmp_path, "b1")) == ({}, [1, 2])
    # By the same command after a kill; and the file may be loaded again.
    assert set_aside(tmp_path, "b1") == 0
    refuse(tmp_path, "b2", [1, 2])
    assert lines_of(tmp_path) == {"b2": [1, 2]}


def test_rows_that_another_batch_refused_too_become_that_ones(tmp_path: Path) -> None:
    refuse(tmp_path, "b1", [1, 2, 3, 4])
    refuse(tmp_path, "b2", [2, 3])
    refuse(tmp_path, "b3", [3, 4, 5])
    assert set_aside(tmp_path, "b1") == 1
    assert lines_of(tmp_path) == {"b3": [5, 4], "b2": [2, 3]}
    assert set_aside(tmp_path, "b2") == 1
    assert lines_of(tmp_path) == {"b3": [5, 4, 3]}
    assert set_aside(tmp_path, "b3") == 3
    assert lines_of(tmp_path) == {}


def test_an_undone_batch_claims_nothing_any_more(tmp_path: Path) -> None:
    refuse(tmp_path, "b1", [1])
    refuse(tmp_path, "b2", [1])
    assert set_aside(tmp_path, "b2") == 0
    assert lines_of(tmp_path) == {"b1": [1]}
    assert set_aside(tmp_path, "b1") == 1
    assert lines_of(tmp_path) == {}


def test_after_a_kill_while_rows_are_handed_over_none_is_there_twice(tmp_path: Path) -> None:
    refuse(tmp_path, "b1", [1, 2, 3])
    refuse(tmp_path, "b2", [1, 2, 3])
    whole = quarantine_path(tmp_path, "b1").read_bytes()
    set_aside(tmp_path, "b1")
    heir = quarantine_path(tmp_path, "b2")
    # Killed in the middle of a line of the other file, before the rename.
    quarantine_path(tmp_path, "b1").with_suffix(".undone").rename(quarantine_path(tmp_path, "b1"))
    heir.write_bytes(whole[: whole.index(b"\n") + 40])
    assert set_aside(tmp_path, "b1") == 0
    assert lines_of(tmp_path) == {"b2": [1, 2, 3]}
    assert undone(tmp_path, "b1") == [1, 2, 3]


def test_notes_cut_in_the_middle_are_gone_on_with(tmp_path: Path) -> None:
    refuse(tmp_path, "b1", [1, 2])
    refuse(tmp_path, "b2", [1, 2])
    notes = quarantine_path(tmp_path, "b2").with_suffix(".also")
    notes.write_bytes(notes.read_bytes()[:-5])
    refuse(tmp_path, "b2", [1, 2])
    set_aside(tmp_path, "b1")
    assert lines_of(tmp_path) == {"b2": [1, 2]}


def test_notes_that_are_none_are_named(tmp_path: Path) -> None:
    refuse(tmp_path, "b1", [1])
    quarantine_path(tmp_path, "b2").with_suffix(".also").write_text("1\n")
    with pytest.raises(ConfigError, match=r"b2\.also: cannot be read"):
        set_aside(tmp_path, "b1")
    assert lines_of(tmp_path) == {"b1": [1]}


def test_a_batch_undone_while_another_reads_the_same_rows(tmp_path: Path) -> None:
    refuse(tmp_path, "b1", [1, 2])
    with Refusals(QuarantineWriter(tmp_path, "b2"), tmp_path) as refusals:
        rows = [Rejection("f.csv", line, "timestamp", "is no time", {"n": str(line)}) for line in (1, 2)]
        refusals.add(rows[:1])
        set_aside(tmp_path, "b1")
        refusals.add(rows[1:])
        refusals.close()
    assert lines_of(tmp_path) == {"b2": [1, 2]}


def test_a_line_mended_wrongly_is_named_before_anything_is_undone(tmp_path: Path) -> None:
    refuse(tmp_path, "b1", [1])
    with quarantine_path(tmp_path, "b1").open("a") as stream:
        stream.write("{\n")
    with pytest.raises(SourceError, match=r"b1\.jsonl, line 2"):
        require_readable(tmp_path, "b1")
    require_readable(tmp_path, "b2")


def test_a_row_that_was_mended_is_still_known(tmp_path: Path) -> None:
    path = refuse(tmp_path, "b1", [1, 2])
    assert path is not None
    path.write_text(path.read_text().replace('{"n":"2"}', '{"n":"two"}'))
    refuse(tmp_path, "b2", [1, 2])
    assert lines_of(tmp_path) == {"b1": [1, 2]}
    assert set_aside(tmp_path, "b1") == 0
    heir = quarantine_path(tmp_path, "b2")
    assert [row.columns for row in read_quarantine(heir)] == [{"n": "1"}, {"n": "two"}]


def test_lines_of_older_versions_are_known_by_what_they_hold(tmp_path: Path) -> None:
    path = refuse(tmp_path, "b1", [1])
    assert path is not None
    line = orjson.loads(path.read_bytes())
    del line["key"]
    path.write_bytes(orjson.dumps(line) + b"\n")
    assert refuse(tmp_path, "b2", [1]) == path
