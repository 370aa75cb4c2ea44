"""A load that broke off is gone on with by the same command, and a row that no engine takes spoils no other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from graphprofile import GraphProfile
from graphprofile.errors import BatchTakenOver
from graphprofile.ingest.ledger import Ledger, _started, is_alive, this_writer

EVENTS = 90_000


def write_events(path: Path, rows: int = EVENTS) -> None:
    lines = [f"e{i},u{i % 997},viewed,i{i % 613},{1_700_000_000_000 + i}" for i in range(rows)]
    text = "event_id,user_id,event_type,object_id,timestamp\n" + "\n".join(lines)
    path.write_text(f"{text}\nbad,u1,viewed,i1,never\n", "utf-8")


def test_the_same_command_goes_on_after_a_kill(
    gp: GraphProfile, store_env: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    write_events(path)
    command = [sys.executable, "-c", "from graphprofile.cli import main; main()", "load", str(path), "--json"]
    loader = subprocess.Popen(command, env=store_env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not gp.cypher("MATCH (p:BatchPart) RETURN p.id AS id LIMIT 1"):
        assert loader.poll() is None
        time.sleep(0.02)
    os.kill(loader.pid, signal.SIGKILL)
    loader.wait()
    (left,) = gp.status()["batches"]
    assert left["state"] == "interrupted"
    again = subprocess.run(command, env=store_env, capture_output=True, text=True, check=False)
    assert again.returncode == 3, again.stderr
    result = json.loads(again.stdout)
    assert (result["batch"], result["resumed"]) == (left["id"], True)
    assert (result["read"], result["applied"], result["quarantined"]) == (EVENTS + 1, EVENTS, 1)
    assert gp.status()["events"] == {"viewed": EVENTS}
    (batch,) = gp.status()["batches"]
    assert (batch["state"], batch["applied"]) == ("done", EVENTS)
    assert gp.status()["quarantine"]["rows"] == 1


def test_a_file_seen_whole_is_not_sent_again(gp: GraphProfile, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("event_id,user_id,event_type,object_id,timestamp\ne1,u1,viewed,i1,2024-01-01\n", "utf-8")
    assert gp.load(path).unsent == 0
    again = gp.load(path)
    assert (again.read, again.duplicates, again.unsent) == (1, 1, 1)
    assert gp.load(path, resend=True).unsent == 0
    assert gp.load(path, mapping={"value": "event_id"}).unsent == 0
    path.write_text(path.read_text() + "e2,u1,viewed,i1,2024-01-01\n", "utf-8")
    more = gp.load(path)
    assert (more.applied, more.duplicates, more.unsent) == (1, 1, 0)


def test_a_file_with_refused_rows_is_sent_again(gp: GraphProfile, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    write_events(path, 3)
    gp.load(path)
    again = gp.load(path)
    assert (again.duplicates, again.quarantined, again.unsent) == (3, 1, 0)


def test_a_process_that_lost_its_batch_cannot_write(gp: GraphProfile) -> None:
    mine = Ledger.open(gp.store, "b1", {"command": "c"}, lanes=1)
    gone = f"{mine.writer.split(':')[0]}:999999999:1:x"
    # Another process found it left behind: the writer it names is gone.
    gp.store.cypher("MATCH (b:Batch {id: 'b1'}) SET b.writer = $gone", {"gone": gone}, read_only=False)
    theirs = Ledger.open(gp.store, "b2", {"command": "c"}, lanes=1)
    assert (theirs.batch, theirs.resumed) == ("b1", True)
    with pytest.raises(BatchTakenOver, match="b1"):
        gp.store.write(lambda tx: mine.lock(tx, 0, "x"))
    assert gp.store.write(lambda tx: theirs.lock(tx, 0, "x")) is None


def test_a_batch_at_work_is_not_taken_over(gp: GraphProfile) -> None:
    Ledger.open(gp.store, "b1", {"command": "c"}, lanes=1)
    assert Ledger.open(gp.store, "b2", {"command": "c"}, lanes=1).batch == "b2"


def test_a_writer_lives_as_long_as_its_process() -> None:
    me = this_writer()
    assert not is_alive(me, None), "nothing of this process is at work"
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    theirs = f"{me.split(':')[0]}:{other.pid}:{_started(other.pid)}:x"
    assert is_alive(theirs, None)
    other.kill()
    time.sleep(0.2)
    assert not is_alive(theirs, None), "killed, and nobody has looked at it yet"
    other.wait()
    assert not is_alive(theirs, None)
    host, pid, _, _ = me.split(":")
    assert not is_alive(f"{host}:{pid}:1:x", None)
    assert not is_alive("elsewhere:1:1:x", 0)
    assert is_alive("elsewhere:1:1:x", int(time.time() * 1000))


def test_a_row_that_the_engine_refuses_spoils_no_other(gp: GraphProfile) -> None:
    gp.store.cypher("CREATE CONSTRAINT own_sku FOR (n:Item) REQUIRE n.sku IS UNIQUE", read_only=False)
    try:
        rows = [{"item_id": f"i{i}", "sku": f"s{i}"} for i in range(40)]
        rows[17]["sku"] = "s3"
        result = gp.load(rows, kind="items")
        assert (result.read, result.applied, result.quarantined) == (40, 39, 1)
        assert result.quarantine_file is not None
        (line,) = Path(result.quarantine_file).read_text("utf-8").splitlines()
        refused = json.loads(line)
        assert refused["row"]["item_id"] == "i17"
        assert "the engine refused it" in refused["reason"]
        # The same for events, by a constraint of the user's own on them.
        gp.store.cypher(
            "CREATE CONSTRAINT own_line FOR ()-[e:VIEWED]-() REQUIRE e.line_no IS UNIQUE", read_only=False
        )
        events = [
            {
                "event_id": f"e{i}",
                "user_id": f"u{i % 3}",
                "event_type": "viewed",
                "object_id": "i1",
                "timestamp": 1_700_000_000_000,
                "line_no": "same" if i in (5, 6) else str(i),
            }
            for i in range(20)
        ]
        result = gp.load(events)
        assert (result.read, result.applied, result.quarantined) == (20, 19, 1)
    finally:
        for row in gp.cypher("SHOW CONSTRAINTS"):
            if row["properties"] in (["sku"], ["line_no"]):
                gp.store.cypher(f"DROP CONSTRAINT `{row['name']}`", read_only=False)
