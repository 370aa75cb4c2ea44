"""The quality of a batch on both engines: its record, its report, and thresholds that stop it before it is applied."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from conftest import empty

from graphprofile import GraphProfile
from graphprofile.backup import restore
from graphprofile.errors import BatchRefused, ConfigError, NotFound, UsageError
from graphprofile.ingest.live import check_descriptions_of, check_rows
from graphprofile.profiles import SCHEMA_VERSION
from graphprofile.quality_report import build_quality_report

from .conftest import event

DAY = 86_400_000
START = 1_700_000_000_000
HEADER = "event_id,user_id,event_type,object_id,timestamp,value\n"
COMMAND = [sys.executable, "-c", "from graphprofile.cli import main; main()"]


def a_day(number: int, rows: int = 300, **more: Any) -> list[dict[str, Any]]:
    """Events of one day, of 60 users."""
    return [
        event(
            f"{number}-{n}",
            f"u{n % 60}",
            f"i{n % 20}",
            kind="purchased" if n % 3 else "viewed",
            ts=START + number * DAY + n * 60_000,
            **{"value": n % 5 + 1, **more},
        )
        for n in range(rows)
    ]


def everything(gp: GraphProfile) -> int:
    return int(gp.cypher("MATCH (n) WHERE NOT n:Schema RETURN count(n) AS n")[0]["n"])


def write_csv(path: Path, rows: int, late: int = 0) -> None:
    lines = [
        f"e{n},u{n % 997},viewed,i{n % 613},{START + n * 1_000 - (9 * DAY if n < late else 0)},1\n"
        for n in range(rows)
    ]
    path.write_text(HEADER + "".join(lines) + "bad,u1,viewed,i1,never,1\n", "utf-8")


def test_a_batch_keeps_what_its_rows_looked_like(gp: GraphProfile) -> None:
    gp.load(a_day(0))
    rows = a_day(1)
    rows[0]["user_id"] = " "
    rows[1]["timestamp"] = START - DAY
    for row in rows[:60]:
        row.pop("value")
    result = gp.load([*rows, *rows[200:210], {**rows[250], "value": 77}])
    assert (result.duplicates, result.conflicts, result.late, result.quarantined) == (10, 1, 1, 1)
    found = gp.quality()
    assert found.batch == result.batch
    assert found.read == 311
    assert found.rows["events"] == {
        **{"read": 311, "applied": 299, "duplicates": 10, "conflicts": 1, "quarantined": 1, "late": 1},
        "replaced": 0,
    }
    assert found.completeness["events"].columns["user_id"] == pytest.approx(310 / 311, abs=1e-6)
    assert found.completeness["events"].columns["value"] == pytest.approx(251 / 311, abs=1e-6)
    (refused,) = found.refused
    assert (refused.field, refused.rows) == ("user_id", 1)
    assert found.lateness.watermark == "2023-11-15T03:12:20Z"
    assert found.lateness.behind == 1
    assert found.distinct == {"users": 60, "objects": 20}
    assert sum(found.event_types.values()) == 310
    assert found.values.high == 77.0
    assert len(found.against) == 1
    assert found.drift["event_types"].band == "stable"
    assert [point.rows for point in found.trend] == [300, 311]
    # An earlier one by its id, which has nothing before it.
    first = gp.quality(found.against[0])
    assert (first.against, first.drift["hours"].psi) == ([], None)


def test_who_has_no_record_says_so_and_an_undo_takes_it(gp: GraphProfile) -> None:
    with pytest.raises(NotFound, match="No batch has a quality record yet"):
        gp.quality()
    with pytest.raises(NotFound, match="No batch 'nosuch'"):
        gp.quality("nosuch")
    result = gp.load(a_day(0))
    assert gp.quality(result.batch).read == 300
    before = gp.digest()
    gp.undo(result.batch)
    with pytest.raises(UsageError, match="it is undone"):
        gp.quality(result.batch)
    assert "quality" not in gp.cypher("MATCH (b:Batch) RETURN properties(b) AS b")[0]["b"]
    gp.load(a_day(0))
    assert gp.digest() == before


def test_posts_are_a_way_of_their_own(gp: GraphProfile) -> None:
    gp.load(a_day(0))

    def an_hour(number: int, kind: str = "viewed") -> str:
        live = gp.live_batch()
        live.write([check_rows([{"user_id": "u1"}], gp.vocabulary)])
        assert live.id is None
        for n in range(0, 120, 3):
            rows = [event(f"{number}-{m}", f"u{m % 7}", f"i{m % 3}", kind=kind, ts=START) for m in (n, n + 1)]
            bad = {**rows[0], "timestamp": "soon", "campaign": "x"}
            said = live.write([check_rows([*rows, bad], gp.vocabulary), check_rows(rows[:1], gp.vocabulary)])
            assert [len(one) for one in said.verdicts] == [3, 1]
        live.write([check_rows(a_day(9, 9), gp.vocabulary)], dry_run=True)
        live.describe(check_descriptions_of("items", [{"item_id": "i1", "title": "I"}, {"title": "no id"}]))
        batch = live.id
        live.close()
        assert batch is not None
        return batch

    first, second = an_hour(1), an_hour(2, "purchased")
    found = gp.quality()
    assert (found.batch, found.source, found.read) == (second, "<live>", 163)
    # What was refused before it came to the batch is in its quality, and not in its counts.
    assert found.rows["events"]["read"] == 161
    assert {
        name: found.rows["events"][name] for name in ("applied", "duplicates", "quarantined", "late")
    } == {**{"applied": 80, "duplicates": 40, "quarantined": 41, "late": 80}}
    assert {(one.kind, one.field, one.rows) for one in found.refused} == {
        ("events", "event_type", 1),
        ("events", "timestamp", 40),
        ("items", "item_id", 1),
    }
    assert found.completeness["events"].rows == 161
    assert found.completeness["events"].columns["campaign"] == pytest.approx(40 / 161, abs=1e-6)
    assert found.completeness["items"].columns["title"] == 1.0
    assert found.distinct == {"users": 7, "objects": 2, "items": 1}
    assert found.lateness.behind == 120
    assert found.against == [first]
    assert found.drift["event_types"].band == "large"
    (newest, *_) = gp.status()["batches"]
    assert not {"quality", "verdict", "way", "watermark"} & newest.keys()


def test_posts_that_a_killed_service_left_behind_have_no_record(gp: GraphProfile) -> None:
    killed = gp.live_batch()
    killed.write([check_rows(a_day(3, 5), gp.vocabulary)])
    assert killed._ledger is not None
    killed._ledger.leave()
    following = gp.live_batch()
    following.write([check_rows(a_day(4, 5), gp.vocabulary)])
    assert following.id == killed.id
    following.close()
    with pytest.raises(UsageError, match="a service that was killed left it behind"):
        gp.quality(killed.id)


def test_a_threshold_stops_a_batch_and_nothing_is_written(gp: GraphProfile, tmp_path: Path) -> None:
    gp.load(a_day(0))
    before = everything(gp)
    rows = [*a_day(0), *a_day(1, 100)]
    with pytest.raises(
        BatchRefused, match=r"max_duplicates = 0.5, and it is 0.75 \(300 of 400 events\)"
    ) as refused:
        gp.load(rows, fail_on=["max_duplicates=0.5", "min_rows=10"])
    assert "--fail-on max_duplicates=0.75" in str(refused.value.hint)
    assert everything(gp) == before
    assert not (gp.settings.data_dir / "quarantine").exists()
    # Repeats that no transaction has seen yet are told, too.
    again = a_day(2, 100)
    verdict = gp.load([*again, *again, {**again[0], "value": 9}], fail_on={"max_conflicts": 0}, dry_run=True)
    assert (verdict.applied, verdict.duplicates, verdict.conflicts) == (100, 100, 1)
    assert [one.passed for one in verdict.thresholds] == [False]
    assert everything(gp) == before
    passed = gp.load(rows, fail_on=["max_duplicates=0.8"])
    assert [one.figure for one in passed.thresholds] == [0.75]
    assert gp.quality().thresholds == passed.thresholds
    with pytest.raises(UsageError, match="can be read only once"):
        gp.load(iter(rows), fail_on={"min_rows": 1})
    assert gp.load(iter(rows), fail_on="none").duplicates == 400


def test_drift_against_earlier_batches_stops_one(gp: GraphProfile) -> None:
    for number in range(2):
        gp.load(a_day(number), fail_on={"max_drift": 0.25})
    odd = [{**row, "event_type": "viewed"} for row in a_day(3)]
    with pytest.raises(BatchRefused, match=r"max_drift.event_types = 0.25"):
        gp.load(odd, fail_on={"max_drift": 0.25})
    assert gp.load(odd, fail_on={"max_drift": {"value": 0.25}}).applied == 300


def test_thresholds_of_a_mapping_file_and_of_the_command_line(
    gp: GraphProfile, store_env: dict[str, str], tmp_path: Path
) -> None:
    rows, rules = tmp_path / "orders.csv", tmp_path / "shop.toml"
    rows.write_text("who,what,when\n" + "ann,tea,2024-01-01\n" * 3 + ",tea,2024-01-02\n", "utf-8")
    text = (
        "[quality]\nmin_completeness = { user_id = 0.9 }\n[events]\nuser_id = 'who'\nobject_id = 'what'\n"
        "event_type = { constant = 'purchased' }\ntimestamp = 'when'\n"
    )
    rules.write_text(text, "utf-8")
    call = [*COMMAND, "load", str(rows), "--mapping", str(rules), "--json"]

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*call, *more], env=store_env, capture_output=True, text=True, check=False)

    stopped = run()
    assert (stopped.returncode, stopped.stdout) == (1, "")
    error = json.loads(stopped.stderr)["error"]
    assert error["code"] == "batch_refused"
    assert (
        "min_completeness.user_id = 0.9, and it is 0.75 (1 of 4 rows of events have none)" in error["message"]
    )
    assert "--fail-on min_completeness.user_id=0.7499" in error["hint"]
    dry = run("--dry-run")
    assert dry.returncode == 1
    assert [one["passed"] for one in json.loads(dry.stdout)["thresholds"]] == [False]
    wrong = run("--fail-on", "max_latte=1")
    assert wrong.returncode == 2
    assert "did you mean 'max_late'" in wrong.stderr
    assert everything(gp) == 0
    loaded = run("--fail-on", "min_completeness.user_id=0.7")
    assert loaded.returncode == 3, loaded.stderr
    # Another threshold is no other mapping: the file was read before.
    rules.write_text(text.replace("0.9", "0.1"), "utf-8")
    assert json.loads(run().stdout)["duplicates"] == 3
    rules.write_text(text.replace("user_id = 0.9", "user_id = 9"), "utf-8")
    with pytest.raises(ConfigError, match=r"shop.toml, line 2: quality.min_completeness.user_id"):
        gp.load(rows, mapping=rules)


def test_update_stops_at_a_threshold_before_anything_is_computed(
    gp: GraphProfile, store_env: dict[str, str], tmp_path: Path
) -> None:
    write_csv(tmp_path / "rows.csv", 20)

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        call = [*COMMAND, "update", str(tmp_path / "rows.csv"), "--json", *more]
        return subprocess.run(call, env=store_env, capture_output=True, text=True, check=False)

    stopped = run("--fail-on", "max_quarantined=0.04", "--fail-on", "min_rows=21")
    assert (stopped.returncode, stopped.stdout) == (1, "")
    error = json.loads(stopped.stderr)["error"]
    assert error["code"] == "batch_refused"
    assert "max_quarantined = 0.04, and it is 0.04762 (1 of 21 rows)" in error["message"]
    assert "min_rows" not in error["message"]
    assert everything(gp) == 0
    wrong = run("--fail-on", "max_quarantined=half")
    assert (wrong.returncode, everything(gp)) == (2, 0)
    done = run("--fail-on", "max_quarantined=0.05")
    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    assert (document["load"]["applied"], document["tags"]["users"]) == (20, 20)
    assert [(one.name, one.passed) for one in gp.quality().thresholds] == [("max_quarantined", True)]


def test_the_record_comes_through_backup_and_restore(gp: GraphProfile, tmp_path: Path) -> None:
    first = gp.load([*a_day(0), {**a_day(0)[0], "event_id": "", "user_id": ""}])
    second = gp.load(a_day(1), fail_on={"max_quarantined": 0.1})
    before = [gp.quality(one.batch) for one in (first, second)]
    gp.backup(tmp_path / "b.zip")
    empty(gp.store)
    gp.forget_rules()
    with pytest.raises(NotFound, match="No batch has a quality record yet"):
        gp.quality()
    restore(gp.store, gp.settings.data_dir, tmp_path / "b.zip", SCHEMA_VERSION)
    assert [gp.quality(one.batch) for one in (first, second)] == before
    assert [one.name for one in gp.quality().thresholds] == ["max_quarantined"]
    # What comes afterwards is held against what was restored.
    gp.load(a_day(2))
    assert gp.quality().against == [second.batch, first.batch]
    assert gp.quality().drift["event_types"].band == "stable"


def test_a_watched_file_is_refused_once_until_it_changes(gp: GraphProfile, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "e1,u1,viewed,i1,2024-01-01,1\n", "utf-8")
    stop, found = threading.Event(), []
    for arrival in gp.watch(tmp_path, settle_seconds=0.3, stop=stop, fail_on={"min_rows": 2}):
        found.append((arrival.path.name, arrival.state, getattr(arrival.error, "code", None)))
        if len(found) == 1:
            (tmp_path / "b.csv").write_text(HEADER + "e2,u1,viewed,i1,2024-01-01,1\n" * 2, "utf-8")
        elif len(found) == 2:
            (tmp_path / "a.csv").write_text(HEADER + "e1,u1,viewed,i1,2024-01-01,1\n" * 3, "utf-8")
        else:
            stop.set()
    assert found == [
        ("a.csv", "refused", "batch_refused"),
        ("b.csv", "loaded", None),
        ("a.csv", "loaded", None),
    ]


def test_in_bulk_the_record_is_the_same_and_thresholds_hold(gp: GraphProfile, tmp_path: Path) -> None:
    if gp.store.engine == "neo4j":
        pytest.skip("a bulk load of a server is offline")
    path = tmp_path / "events.csv"
    write_csv(path, 500)
    gp.load(path)
    with pytest.raises(BatchRefused, match="max_quarantined"):
        GraphProfile.load_bulk(path, settings={"data_dir": tmp_path / "bulk"}, fail_on={"max_quarantined": 0})
    assert not list((tmp_path / "bulk" / "quarantine").glob("*.jsonl"))
    bulk = GraphProfile.load_bulk(
        path, settings={"data_dir": tmp_path / "bulk"}, fail_on={"max_quarantined": 0.1}
    )
    assert [one.passed for one in bulk.thresholds] == [True]
    own = {"batch", "source", "started_at", "finished_at", "trend", "thresholds"}
    with GraphProfile.open(data_dir=tmp_path / "bulk") as other:
        assert other.quality().model_dump(exclude=own) == gp.quality().model_dump(exclude=own)


def test_after_a_kill_the_record_is_that_of_the_whole_batch(
    gp: GraphProfile, store_env: dict[str, str], tmp_path: Path
) -> None:
    gp.load([event("first", "u0", "i0", ts=START - 5 * DAY)])
    path, rows, late = tmp_path / "events.csv", 60_000, 100
    write_csv(path, rows, late)
    call = [
        *COMMAND,
        "load",
        str(path),
        "--json",
        "--fail-on",
        "max_duplicates=0.1",
        "--fail-on",
        "max_late=0.1",
    ]
    loader = subprocess.Popen(call, env=store_env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(gp.cypher("MATCH (p:BatchPart) RETURN p.id AS id LIMIT 2")) < 2:
        assert loader.poll() is None
        time.sleep(0.02)
    os.kill(loader.pid, signal.SIGKILL)
    loader.wait()
    (left, _) = gp.status()["batches"]
    assert left["state"] == "interrupted"
    with pytest.raises(UsageError, match="it has not come to its end"):
        gp.quality(left["id"])
    # What the first process wrote is no duplicate, so the thresholds that it passed are not asked again.
    again = subprocess.run(call, env=store_env, capture_output=True, text=True, check=False)
    assert again.returncode == 3, again.stderr
    found = gp.quality()
    assert found.batch == left["id"]
    assert (found.read, found.rows["events"]["applied"], found.rows["events"]["late"]) == (
        rows + 1,
        rows,
        late,
    )
    assert found.completeness["events"].rows == rows + 1
    assert found.event_types == {"viewed": rows}
    assert (found.lateness.behind, len(found.thresholds)) == (late, 2)
    assert found.distinct == {"users": 997, "objects": 613}
    assert [one.rows for one in found.refused] == [1]


class Page(HTMLParser):
    """Headings, ids and figures of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str | None] = set()
        self.sections: list[str | None] = []
        self.scripts: list[str] = []
        self._script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert not {"src", "onclick", "onload"} & found.keys(), tag
        self.ids.add(found.get("id"))
        if tag == "section":
            self.sections.append(found["id"])
        self._script = tag == "script"

    def handle_data(self, data: str) -> None:
        if self._script:
            self.scripts.append(data)
            self._script = False


def test_the_report_has_all_sections_and_nothing_breaks_out(
    gp: GraphProfile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "</script><b onclick=alert(1)>"
    for number in range(3):
        late = [event(f"late-{number}", "u1", "i1", ts=START - DAY)] if number else []
        gp.load([*a_day(number, **{evil: "x"}), *late], fail_on={"max_late": 1})
    page = Page(build_quality_report(gp.quality()))
    assert page.sections == ["thresholds", "completeness", "rows", "time", "events", "drift", "trend"]
    figures = json.loads(page.scripts[1])
    assert set(figures) <= page.ids
    assert {"plot-volume", "plot-hours", "plot-lag", "plot-types", "plot-values", "plot-trend-psi"} <= set(
        figures
    )
    assert len(page.scripts) == 3
    path = gp.quality_report(tmp_path / "q.html")
    assert path.read_text("utf-8").count("<b onclick") == 0
    with pytest.raises(UsageError, match="cannot be written"):
        gp.quality_report(tmp_path / "no" / "q.html")
