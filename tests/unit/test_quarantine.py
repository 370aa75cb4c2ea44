"""The quarantine: rows go in as they were, are listed, mended and tried again."""

from __future__ import annotations

import os
import resource
import signal
import stat
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphprofile.loaders.generic import GenericLoader

from graphprofile.errors import ConfigError, SourceError
from graphprofile.ingest.jsonable import MAX_LEVELS
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.quarantine import (
    Origin,
    QuarantineWriter,
    finish_retry,
    list_quarantine,
    read_quarantine,
    refusal_key,
    rows_by_origin,
)
from graphprofile.ingest.read import read_checked
from graphprofile.records import Rejection
from graphprofile.vocabulary import Vocabulary


def rejection(row: Any, line: int = 3, **more: Any) -> Rejection:
    return Rejection(
        "f.csv", line, more.pop("field", "user_id"), more.pop("reason", "is missing"), row, **more
    )


def test_there_is_no_file_until_there_is_a_row(tmp_path: Path) -> None:
    with QuarantineWriter(tmp_path, "b1") as writer:
        writer.add([])
    assert (writer.close(), writer.rows) == (None, 0)
    assert list(tmp_path.iterdir()) == []
    assert list_quarantine(tmp_path) == []


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    writer = QuarantineWriter(tmp_path, "b1", enabled=False)
    writer.add([rejection({"a": 1})])
    assert (writer.close(), writer.rows) == (None, 1)
    assert list(tmp_path.iterdir()) == []


def test_rows_are_on_disk_as_they_come_and_for_the_owner_only(tmp_path: Path) -> None:
    writer = QuarantineWriter(
        tmp_path, "b1", loader="shakespeare", mapping=["a=b"], time_zone="UTC", time_unit="ms"
    )
    writer.add([rejection({"a": "é", "b": None})])
    writer.add([rejection("1,2", 9, columns=("a", "b", "c"), separator=",", kind="users")])
    # Readable before it is closed: a killed load keeps what it refused.
    first, second = writer.path.read_bytes().splitlines()
    told = orjson.loads(first)
    assert len(bytes.fromhex(told.pop("key"))) == 16
    assert told == {
        "source": "f.csv",
        "line": 3,
        "field": "user_id",
        "reason": "is missing",
        "row": {"a": "é", "b": None},
        "kind": "events",
        "loader": "shakespeare",
        "map": ["a=b"],
        "time_zone": "UTC",
        "time_unit": "ms",
    }
    assert orjson.loads(second)["columns"] == ["a", "b", "c"]
    assert writer.close() == tmp_path / "quarantine" / "b1.jsonl"
    assert stat.S_IMODE(os.stat(writer.path).st_mode) == 0o600


def test_rows_come_back_with_how_they_were_read(tmp_path: Path) -> None:
    writer = QuarantineWriter(tmp_path, "b1", loader="movielens", mapping=["a=b"], time_zone="Europe/Paris")
    rejections = [rejection({"a": 1}), rejection({"a": 2}, kind="users"), rejection({"a": 3}, checked=True)]
    writer.add(rejections)
    path = writer.close()
    assert path is not None
    groups = rows_by_origin(read_quarantine(path))
    assert [(origin.kind, origin.loader, origin.mapping, origin.time_zone) for origin in groups] == [
        ("events", "movielens", ("a=b",), "Europe/Paris"),
        ("users", "movielens", ("a=b",), "Europe/Paris"),
        ("events", "generic", (), None),
    ]
    assert [row.columns for rows in groups.values() for row in rows] == [{"a": 1}, {"a": 2}, {"a": 3}]


@pytest.mark.parametrize(
    ("row", "more", "columns"),
    [
        ({"a": 1}, {}, {"a": 1}),
        ('1,"x, y"', {"columns": ("a", "b"), "separator": ","}, {"a": "1", "b": "x, y"}),
        ("1;2", {"columns": ("a", "b"), "separator": ";"}, {"a": "1", "b": "2"}),
        ("1,2,3", {"columns": ("a", "b"), "separator": ","}, None),
        ('1,"2', {"columns": ("a", "b"), "separator": ","}, None),
        ('{"a": 1}', {}, {"a": 1}),
        ("{a", {}, None),
        ("[1]", {}, None),
        (5, {}, None),
        ("1,2", {"columns": ("a", "b"), "separator": ",", "field": "file"}, None),
    ],
)
def test_a_mended_text_is_a_row_again(tmp_path: Path, row: Any, more: Any, columns: Any) -> None:
    writer = QuarantineWriter(tmp_path, "b1")
    writer.add([rejection(row, **more)])
    path = writer.close()
    assert path is not None
    assert [found.columns for found in read_quarantine(path)] == [columns]


def test_what_json_lacks_becomes_text(tmp_path: Path) -> None:
    row = {
        "nan": float("nan"),
        "big": 2**70,
        "half": "\ud800",
        "bytes": b"x",
        "\udfff": [float("inf")],
        "n": 5,
    }
    writer = QuarantineWriter(tmp_path, "b1")
    writer.add([rejection(row)])
    (found,) = read_quarantine(writer.path)
    assert found.columns == {
        "nan": "nan",
        "big": str(2**70),
        "half": "\\ud800",
        "bytes": "b'x'",
        "\\udfff": ["inf"],
        "n": 5,
    }
    writer.close()


def test_the_list_counts_reasons(tmp_path: Path) -> None:
    for batch, count in (("b1", 1), ("b2", 2)):
        with QuarantineWriter(tmp_path, batch) as writer:
            writer.add([rejection({"n": n}) for n in range(count)])
            writer.add([rejection({}, field="value", reason="is no number")])
    first, second = list_quarantine(tmp_path)
    assert (first.batch, first.rows, second.batch, second.rows) == ("b1", 2, "b2", 3)
    assert list(second.reasons.items()) == [("user_id: is missing", 2), ("value: is no number", 1)]
    assert second.written_at.endswith("Z")


def test_a_retry_keeps_what_is_still_refused(tmp_path: Path) -> None:
    with QuarantineWriter(tmp_path, "b1") as writer:
        writer.add([rejection({"n": n}) for n in range(3)])
    path = writer.path
    first, *rest = read_quarantine(path)
    assert finish_retry(path, [first], rest, "r1") == path
    assert [row.columns for row in read_quarantine(path)] == [{"n": 0}]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    done = path.with_suffix(".retried")
    assert finish_retry(path, [], [first], "r2") == done
    assert list_quarantine(tmp_path) == []
    assert [entry.name for entry in path.parent.iterdir()] == ["b1.retried"]
    assert [(row.columns, row.retried_by) for row in read_quarantine(done)] == [
        ({"n": 1}, "r1"),
        ({"n": 2}, "r1"),
        ({"n": 0}, "r2"),
    ]


@pytest.mark.parametrize("line", ["{", "5", "{}", '{"kind": "planets"}'])
def test_a_line_mended_wrongly_is_named(tmp_path: Path, line: str) -> None:
    with QuarantineWriter(tmp_path, "b1") as writer:
        writer.add([rejection({"n": 1})])
    with writer.path.open("a") as stream:
        stream.write(f"\n{line}\n")
    with pytest.raises(SourceError, match=r"b1\.jsonl, line 3: is not a line of the quarantine"):
        list_quarantine(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "quarantine").write_text("in the way")
    with pytest.raises(ConfigError, match=r"quarantine/b1\.jsonl: cannot be written") as caught:
        QuarantineWriter(tmp_path, "b1").add([rejection({})])
    assert "GRAPHPROFILE_DATA" in str(caught.value.hint)
    with pytest.raises(SourceError, match="cannot be read"):
        list(read_quarantine(tmp_path / "quarantine" / "b1.jsonl"))


def test_a_refused_row_is_applied_once_mended(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("who,what,when\nu1,i1,2010\nu2,i2,soon\nu3,i3\n")
    texts = ["user_id=who", "object_id=what", "timestamp=when", "event_type==viewed"]

    def check(source: Any) -> tuple[list[str], list[Rejection]]:
        users: list[str] = []
        refused: list[Rejection] = []
        for chunk in read_checked(source, GenericLoader(), "events", Mapping.parse(texts), Vocabulary()):
            assert chunk.kind == "events"
            users += chunk.frame["user_id"].to_list()  # type: ignore[union-attr]
            refused += chunk.rejected
        return users, refused

    users, refused = check(path)
    assert (users, [r.line for r in refused]) == (["u1"], [4, 3])
    with QuarantineWriter(tmp_path, "b1", mapping=texts) as writer:
        writer.add(refused)
    mended = writer.path.read_text().replace("soon", "2011").replace("u3,i3", "u3,i3,2012")
    writer.path.write_text(mended)
    ((origin, rows),) = rows_by_origin(read_quarantine(writer.path)).items()
    assert origin == Origin("events", "generic", tuple(texts))
    assert check([row.columns for row in rows]) == (["u3", "u2"], [])


def test_a_torn_line_is_passed_over_and_goes_when_the_file_is_gone_on_with(tmp_path: Path) -> None:
    with QuarantineWriter(tmp_path, "b1") as writer:
        writer.add([rejection({"a": "1"}, 1), rejection({"a": "2"}, 2)])
    whole = writer.path.read_bytes()
    writer.path.write_bytes(whole[:-20])
    (entry,) = list_quarantine(tmp_path)
    assert entry.rows == 1
    with pytest.raises(SourceError, match="line 2"):
        list(read_quarantine(writer.path))
    with QuarantineWriter(tmp_path, "b1") as again:
        again.add([rejection({"a": "2"}, 2)])
    assert writer.path.read_bytes() == whole


def test_a_last_line_mended_without_its_end_stays(tmp_path: Path) -> None:
    with QuarantineWriter(tmp_path, "b1") as writer:
        writer.add([rejection({"a": "1"}, 1)])
    writer.path.write_bytes(writer.path.read_bytes().rstrip(b"\n"))
    with QuarantineWriter(tmp_path, "b1") as again:
        again.add([rejection({"a": "2"}, 2)])
    assert [row.rejection.line for row in read_quarantine(writer.path)] == [1, 2]


def test_what_a_full_disk_refuses_leaves_no_half_line(tmp_path: Path) -> None:
    writer = QuarantineWriter(tmp_path, "b1")
    writer.add([rejection({"a": "1"}, 1)])
    size = writer.path.stat().st_size
    # The system's own limit on the size of files stands for the disk; it writes what still fits.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))
    try:
        with pytest.raises(ConfigError, match="cannot be written"):
            writer.add([rejection({"a": "2" * 500}, 2)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert writer.path.stat().st_size == size
    writer.add([rejection({"a": "2"}, 2)])
    writer.close()
    assert [row.rejection.line for row in read_quarantine(writer.path)] == [1, 2]


def test_a_row_nested_without_end_is_kept_as_far_as_json_can_hold_it(tmp_path: Path) -> None:
    nested: Any = 1
    for _ in range(1_000):
        nested = {"a": [nested]}
    with QuarantineWriter(tmp_path, "b1") as writer:
        writer.add([rejection({"x": nested, "y": 2})])
    (row,) = read_quarantine(writer.path)
    assert row.columns is not None
    assert row.columns["y"] == 2
    assert f"(nested more than {MAX_LEVELS} levels deep)" in str(row.columns["x"])
    assert refusal_key(rejection({"x": nested}), row.origin)
