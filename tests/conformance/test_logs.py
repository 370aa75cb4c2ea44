"""What a load tells a machine: structured logs, on stderr where asked for, and in the standard library."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphprofile import GraphProfile

COMMAND = [sys.executable, "-c", "from graphprofile.cli import main; main()"]
HEADER = "event_id,user_id,event_type,object_id,timestamp\n"


def write(path: Path) -> Path:
    path.write_text(f"{HEADER}e1,u1,viewed,i1,2024-01-01\ne2,u1,viewed,i1,never\n", "utf-8")
    return path


def test_a_batch_is_told_line_by_line(store_env: dict[str, str], tmp_path: Path) -> None:
    path = write(tmp_path / "events.csv")
    command = [*COMMAND, "load", str(path), "--json", "--log-level", "debug"]
    done = subprocess.run(command, env=store_env, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    result = json.loads(done.stdout)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["batch_started", "stretch_written", "batch_finished"]
    assert {line["batch"] for line in lines} == {result["batch"]}
    assert [line["level"] for line in lines] == ["info", "debug", "info"]
    assert lines[1]["quarantined"] == 1
    assert {name: lines[2][name] for name in result} == result
    assert lines[0]["timestamp"].endswith("Z")


def test_nothing_is_told_unless_asked_for(store_env: dict[str, str], tmp_path: Path) -> None:
    command = [*COMMAND, "load", str(write(tmp_path / "events.csv")), "--json"]
    assert subprocess.run(command, env=store_env, capture_output=True, check=False).stderr == b""
    asked = {**store_env, "GRAPHPROFILE_LOG_LEVEL": "warning"}
    assert subprocess.run(command, env=asked, capture_output=True, check=False).stderr == b""


def test_an_unknown_level_is_a_usage_error(tmp_path: Path) -> None:
    command = [*COMMAND, "status", "--log-level", "loud", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'loud' is not one of" in done.stderr


def test_records_of_the_standard_library_carry_the_fields(
    gp: GraphProfile, caplog: pytest.LogCaptureFixture
) -> None:
    row = {"event_id": "e1", "user_id": "u1", "event_type": "viewed", "object_id": "i1", "timestamp": 1}

    def failing() -> Iterator[dict[str, object]]:
        yield {**row, "event_id": "e2"}
        raise RuntimeError("the source is gone")

    with caplog.at_level(logging.INFO, logger="graphprofile"):
        result = gp.load([row])
        with pytest.raises(RuntimeError):
            gp.load([{**row, "event_id": "e3"}], failing())
    records = [record for record in caplog.records if record.name == "graphprofile"]
    assert [(record.levelname, record.message) for record in records] == [
        ("INFO", "batch_started"),
        ("INFO", "batch_finished"),
        ("INFO", "batch_started"),
        ("ERROR", "batch_broke_off"),
    ]
    assert vars(records[1])["batch"] == result.batch
    assert vars(records[3])["error"] == "the source is gone"
