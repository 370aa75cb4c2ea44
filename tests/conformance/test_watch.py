"""A folder that files come into: each is loaded once, whoever else was there, and nothing half-written is taken."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from graphprofile import GraphProfile
from graphprofile.errors import SourceError
from graphprofile.watch import Arrival

HEADER = "event_id,user_id,event_type,object_id,timestamp\n"


def events(*ids: str) -> str:
    return HEADER + "".join(f"{one},u1,viewed,i1,2024-01-01\n" for one in ids)


def collect(
    gp: GraphProfile, folder: Path, wanted: int, later: dict[str, str] | None = None
) -> list[Arrival]:
    stop = threading.Event()
    found = []
    for arrival in gp.watch(folder, settle_seconds=0.3, stop=stop):
        found.append(arrival)
        if later and len(found) == 1:
            for name, text in later.items():
                (folder / name).write_text(text, "utf-8")
        if len(found) == wanted:
            stop.set()
    return found


def test_files_are_loaded_once_as_they_come(gp: GraphProfile, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(events("e1"), "utf-8")
    (tmp_path / "notes.md").write_text("not data", "utf-8")
    (tmp_path / ".b.csv.part").write_text(events("e9"), "utf-8")
    found = collect(gp, tmp_path, 3, {"b.csv": events("e1", "e2"), "c.jsonl": "no json\n"})
    assert next((one.path.name, one.state) for one in found) == ("a.csv", "loaded")
    states = {one.path.name: one for one in found}
    assert states["b.csv"].result is not None
    assert (states["b.csv"].result.applied, states["b.csv"].result.duplicates) == (1, 1)
    assert states["c.jsonl"].state in ("loaded", "refused")
    # Another watch finds them read.
    again = collect(gp, tmp_path, 2)
    assert {one.state for one in again} == {"known"}
    assert gp.status()["events"] == {"viewed": 2}


def test_a_file_that_grows_is_waited_for_and_one_that_grew_is_taken_again(
    gp: GraphProfile, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEADER, "utf-8")

    def grow() -> None:
        for number in range(8):
            with path.open("a") as stream:
                stream.write(f"e{number},u1,viewed,i1,2024-01-01\n")
            time.sleep(0.1)

    writer = threading.Thread(target=grow)
    writer.start()
    (arrival,) = collect(gp, tmp_path, 1)
    writer.join()
    assert arrival.result is not None
    assert arrival.result.applied == 8


def test_a_file_that_cannot_be_read_stops_nothing(gp: GraphProfile, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("no parquet", "utf-8")
    (tmp_path / "b.csv").write_text(events("e1"), "utf-8")
    found = collect(gp, tmp_path, 2)
    assert sorted((one.path.name, one.state) for one in found) == [
        ("a.parquet", "refused"),
        ("b.csv", "loaded"),
    ]
    with pytest.raises(SourceError, match="no such folder"):
        gp.watch(tmp_path / "nosuch")


def test_the_command_logs_lines_of_json_and_ends_in_order(
    gp: GraphProfile, store_env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(events("e1"), "utf-8")
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from graphprofile.cli import main; main()",
            "load",
            "--watch",
            str(tmp_path),
            "--json",
        ],
        env=store_env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(json.loads(line))
        if lines[-1]["event"] == "loaded":
            break
    process.send_signal(signal.SIGTERM)
    out, rest = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out)["applied"] == 1
    assert [line["event"] for line in lines] == ["watching", "loaded"]
    assert lines[1]["level"] == "info"
    assert json.loads(rest.splitlines()[-1])["event"] == "stopped"
