"""Refused rows follow the mapping they were read by, and the fate of the batches that refused them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphprofile import GraphProfile
from graphprofile.errors import NotFound, SourceError
from graphprofile.ingest.quarantine import quarantine_path, read_quarantine
from graphprofile.vocabulary import DEFAULT_EVENTS, EventRule, Vocabulary

WRONG = {"object_id": "what", "timestamp": "seen", "event_type": "=viewed"}
RIGHT = {**WRONG, "timestamp": "bought", "event_type": "=purchased"}


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """Three rows: the wrong mapping refuses two of them, the right one another two."""
    path = tmp_path / "orders.csv"
    path.write_text(
        "user_id,what,seen,bought\nann,i1,2024-01-01,soon\nbob,i2,soon,2024-01-02\ncyd,i3,later,never\n",
        "utf-8",
    )
    return path


def open_rows(gp: GraphProfile) -> dict[str, list[int]]:
    folder = gp.settings.data_dir / "quarantine"
    return {
        path.stem: sorted(row.rejection.line for row in read_quarantine(path))
        for path in sorted(folder.glob("*.jsonl"))
    }


def mend(path: Any, old: str, new: str) -> None:
    path = Path(str(path))
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_rows_are_retried_by_the_mapping_of_the_load_that_stands(gp: GraphProfile, orders: Path) -> None:
    wrong = gp.load(orders, mapping=WRONG)
    assert (wrong.applied, wrong.quarantined) == (1, 2)
    undone = gp.undo(wrong.batch)
    assert (undone.events, undone.refused) == (1, 2)
    assert (open_rows(gp), gp.status()["quarantine"]) == ({}, {"files": 0, "rows": 0})
    right = gp.load(orders, mapping=RIGHT)
    assert (right.applied, right.quarantined) == (1, 2)
    assert open_rows(gp) == {right.batch: [2, 4]}
    mend(right.quarantine_file, '"never"', '"2024-01-04"')
    (retried,) = gp.retry_quarantine()
    assert (retried.read, retried.applied, retried.quarantined) == (2, 1, 1)
    rows = gp.cypher("MATCH (u:User)-[e]->(:Item) WHERE e.ts IS NOT NULL RETURN u.id AS id, type(e) AS type")
    assert sorted((row["id"], row["type"]) for row in rows) == [("bob", "PURCHASED"), ("cyd", "PURCHASED")]
    with pytest.raises(NotFound, match="No refused rows"):
        gp.retry_quarantine(wrong.batch)


def test_a_refusal_by_another_mapping_keeps_its_own_reason(gp: GraphProfile, orders: Path) -> None:
    wrong = gp.load(orders, mapping=WRONG)
    right = gp.load(orders, mapping=RIGHT)
    again = gp.load(orders, mapping=RIGHT)
    assert open_rows(gp) == {wrong.batch: [3, 4], right.batch: [2, 4]}
    assert again.quarantine_file == right.quarantine_file
    last = [row for row in read_quarantine(Path(str(right.quarantine_file))) if row.rejection.line == 4]
    assert "never" in last[0].rejection.reason
    # Both batches stand: each row is read as its batch read it.
    mend(wrong.quarantine_file, '"later"', '"2024-01-03"')
    mend(right.quarantine_file, '"never"', '"2024-01-04"')
    assert [(result.applied, result.quarantined) for result in gp.retry_quarantine()] == [(1, 1), (1, 1)]
    rows = gp.cypher("MATCH (:User {id: 'cyd'})-[e]->(:Item) WHERE e.ts IS NOT NULL RETURN type(e) AS type")
    assert sorted(row["type"] for row in rows) == ["PURCHASED", "VIEWED"]


def test_refused_rows_of_an_undone_batch_stay_with_the_other_that_refused_them(
    gp: GraphProfile, orders: Path
) -> None:
    first = gp.load(orders, mapping=WRONG)
    second = gp.load(orders, mapping=WRONG)
    assert gp.undo(first.batch).refused == 0
    assert open_rows(gp) == {second.batch: [3, 4]}
    mend(quarantine_path(gp.settings.data_dir, second.batch), '"later"', '"2024-01-03"')
    (retried,) = gp.retry_quarantine(second.batch)
    assert (retried.applied, retried.quarantined) == (1, 1)
    assert gp.undo(second.batch).refused == 1
    assert open_rows(gp) == {}


def test_rows_that_an_undone_retry_took_in_are_open_again_as_they_were_mended(
    gp: GraphProfile, orders: Path
) -> None:
    loaded = gp.load(orders, mapping=RIGHT)
    mend(loaded.quarantine_file, '"never"', '"2024-01-04"')
    (retried,) = gp.retry_quarantine()
    assert open_rows(gp) == {loaded.batch: [2]}
    undone = gp.undo(retried.batch)
    assert (undone.events, undone.reopened, undone.refused) == (1, 1, 0)
    assert open_rows(gp) == {loaded.batch: [2, 4]}
    (again,) = gp.retry_quarantine()
    assert (again.applied, again.quarantined) == (1, 1)
    # Of a batch that is itself undone nothing is opened.
    assert gp.undo(loaded.batch).refused == 1
    assert gp.undo(again.batch).reopened == 0
    assert (open_rows(gp), gp.status()["nodes"]) == ({}, {})


def test_a_batch_undone_elsewhere_leaves_the_open_rows_at_the_next_retry(
    gp: GraphProfile, orders: Path, tmp_path: Path
) -> None:
    loaded = gp.load(orders, mapping=WRONG)
    path = Path(str(loaded.quarantine_file))
    kept = path.rename(tmp_path / "of another machine")
    assert gp.undo(loaded.batch).refused == 0
    kept.rename(path)
    gp.vocabulary = Vocabulary(events={**DEFAULT_EVENTS, "seen": EventRule(type="SEEN")})
    assert gp.retry_quarantine() == []
    assert open_rows(gp) == {}


def test_a_quarantine_file_mended_wrongly_is_named_before_its_batch_is_undone(
    gp: GraphProfile, orders: Path
) -> None:
    loaded = gp.load(orders, mapping=WRONG)
    path = Path(str(loaded.quarantine_file))
    whole = path.read_text("utf-8")
    mend(path, '"later"', "later")
    with pytest.raises(SourceError, match="line 2"):
        gp.undo(loaded.batch)
    (batch,) = gp.cypher("MATCH (b:Batch) RETURN b.state AS state")
    assert batch == {"state": "done"}
    path.write_text(whole, "utf-8")
    assert gp.undo(loaded.batch).refused == 2
