"""Loading on both engines: idempotent, in any order, nothing good lost."""

from __future__ import annotations

import json
import random
from pathlib import Path

import polars as pl
import pytest

from graphprofile import GraphProfile
from graphprofile.cli.loading import show_load
from graphprofile.errors import NotFound, SourceError, StoreMismatch, UsageError
from graphprofile.vocabulary import DEFAULT_EVENTS, EventRule, Vocabulary

from .conftest import Wipe, event

DAY = 86_400_000
EVENTS = [
    event("e1", "ann", "i1", ts=1_700_000_000_000),
    event("e2", "ann", "i2", ts=1_700_000_000_000 + DAY, kind="purchased", value=12.5),
    event("e3", "bob", "i1", ts=1_700_000_000_000 + 2 * DAY, kind="rated", value=4),
    event("e1", "bob", "i2", ts=1_700_000_000_000 + 3 * DAY, kind="liked"),
]
ITEMS = [
    {"item_id": "i1", "title": "One", "tags": "genre:Poetry;new", "price": 3.5},
    {"item_id": "i2", "title": "Two", "tags": ["genre:Prose"]},
]


def test_a_batch_loaded_twice_changes_nothing(gp: GraphProfile) -> None:
    first = gp.load(EVENTS)
    assert (first.read, first.applied, first.duplicates, first.conflicts, first.quarantined) == (
        4,
        4,
        0,
        0,
        0,
    )
    before = gp.digest()
    again = gp.load(EVENTS)
    assert (again.read, again.applied, again.duplicates) == (4, 0, 4)
    assert gp.digest() == before


def test_the_same_id_of_another_type_is_another_event(gp: GraphProfile) -> None:
    gp.load(EVENTS)
    found = gp.cypher("MATCH ()-[e]->() WHERE e.event_id = 'e1' RETURN type(e) AS type ORDER BY type")
    assert [row["type"] for row in found] == ["LIKED", "VIEWED"]


def test_order_of_descriptions_and_events_does_not_matter(gp: GraphProfile, wipe: Wipe) -> None:
    gp.load(ITEMS, kind="items")
    gp.load(EVENTS)
    gp.update_tags()
    before = gp.digest()
    gp = wipe(gp)
    gp.load(list(reversed(EVENTS)))
    gp.update_tags()
    gp.load(list(reversed(ITEMS)), kind="items")
    gp.update_tags()
    assert gp.digest() == before
    assert gp.update_tags(verify=True).max_relative_error == pytest.approx(0, abs=1e-9)


def test_one_event_reaches_the_graph_as_the_design_says(gp: GraphProfile) -> None:
    result = gp.load(
        [event("p", "ann", "i", kind="purchased", value=2.5, ts="2024-05-06T07:08:09Z", shop="Lyon")]
    )
    row = gp.cypher(
        "MATCH (u:User)-[e:PURCHASED]->(i:Item) RETURN u.id AS user, i.id AS item, properties(e) AS e"
    )[0]
    assert (row["user"], row["item"]) == ("ann", "i")
    assert row["e"].pop("hash")
    assert row["e"] == {
        "event_id": "p",
        "ts": 1_714_979_289_000,
        "value": 2.5,
        "shop": "Lyon",
        "batch": result.batch,
    }


def test_content_and_users_can_be_objects(gp: GraphProfile) -> None:
    gp.load(
        [
            event("r", "ann", "essay", kind="read", object_kind="content"),
            event("f", "ann", "bob", kind="followed", object_kind="user"),
        ]
    )
    rows = gp.cypher(
        "MATCH (:User {id: 'ann'})-[e]->(o) RETURN type(e) AS type, labels(o)[0] AS label ORDER BY type"
    )
    assert [(row["type"], row["label"]) for row in rows] == [("FOLLOWED", "User"), ("READ", "Content")]


def test_a_conflict_is_reported_with_both_versions_and_the_stored_one_stays(gp: GraphProfile) -> None:
    first = gp.load(EVENTS)
    before = gp.digest()
    changed = [{**EVENTS[0], "user_id": "eve"}, {**EVENTS[1], "value": 99}]
    result = gp.load([*changed, event("new", "ann", "i1")])
    assert (result.applied, result.conflicts, result.quarantined) == (1, 2, 0)
    assert gp.cypher("MATCH (u:User {id: 'eve'}) RETURN u.id AS id") == []
    lines = [json.loads(line) for line in Path(str(result.quarantine_file)).read_text("utf-8").splitlines()]
    assert all("conflict" in line["reason"] and first.batch in line["reason"] for line in lines)
    gp.cypher("MATCH ()-[e {event_id: 'new'}]->() DELETE e", read_only=False)
    assert gp.digest() == before


def test_duplicates_and_conflicts_inside_one_source(gp: GraphProfile) -> None:
    result = gp.load([EVENTS[0], EVENTS[0], {**EVENTS[0], "object_id": "other"}])
    assert (result.applied, result.duplicates, result.conflicts) == (1, 1, 1)


def test_late_events_are_counted(gp: GraphProfile) -> None:
    assert gp.load([EVENTS[2]]).late == 0
    result = gp.load(EVENTS[:2])
    assert (result.applied, result.late) == (2, 2)


def test_bad_rows_go_to_quarantine_and_good_ones_load(gp: GraphProfile, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(
        "event_id,user_id,event_type,object_id,timestamp,value\n"
        "a,ann,viewed,i1,2024-01-01,\n"
        "b,ann,exploded,i1,2024-01-01,\n"
        "c,,viewed,i1,2024-01-01,\n"
        "d,ann,viewed,i1,soon,\n"
        "e,ann,purchased,i1,2024-01-01,-5\n"
        "f,ann,purchased,i1,2024-01-01,nan\n"
        "g,ann,viewed,i1\n"
        "h,bob,viewed,i1,2024-01-02,\n",
        "utf-8",
    )
    result = gp.load(path)
    assert (result.read, result.applied, result.quarantined) == (8, 2, 6)
    rows = [json.loads(line) for line in Path(str(result.quarantine_file)).read_text("utf-8").splitlines()]
    assert {row["line"]: row["field"] for row in rows} == {
        3: "event_type",
        4: "user_id",
        5: "timestamp",
        6: "value",
        7: "value",
        8: "row",
    }
    assert "[events.exploded]" in next(row["reason"] for row in rows if row["line"] == 3)


def test_a_bad_file_sent_again_lies_in_quarantine_once(gp: GraphProfile) -> None:
    rows = [event("a", "ann", "i1"), event("b", "ann", "i1", kind="exploded"), event("c", "", "i1")]
    first = gp.load(rows)
    again = gp.load(rows)
    assert (again.duplicates, again.quarantined) == (1, 2)
    assert again.quarantine_file == first.quarantine_file
    assert gp.status()["quarantine"] == {"files": 1, "rows": 2}


def test_reading_follows_the_rules_the_interests_were_computed_with(gp: GraphProfile) -> None:
    gp.load(ITEMS, kind="items")
    gp.load(EVENTS)
    gp.update_tags()
    before = gp.explain("ann", tag="Poetry")
    gp.vocabulary = Vocabulary(events={**DEFAULT_EVENTS, "viewed": EventRule(type="VIEWED", weight=9)})
    assert gp.changed_rules()
    assert gp.explain("ann", tag="Poetry") == before
    gp.update_tags(full=True)
    assert gp.changed_rules() == []
    assert gp.explain("ann", tag="Poetry").score == pytest.approx(9 * before.score)


def test_a_source_that_breaks_off_loses_nothing_read_before(gp: GraphProfile, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "event_id,user_id,event_type,object_id,timestamp\n1,ann,viewed,i,2024-01-01\n2,,viewed,i,2024-01-01\n",
        "utf-8",
    )
    (tmp_path / "b.csv").write_text("when,who\n1,2\n", "utf-8")
    with pytest.raises(SourceError):
        gp.load(tmp_path / "a.csv", tmp_path / "b.csv", kind="events")
    status = gp.status()
    assert status["events"] == {"viewed": 1}
    assert status["quarantine"]["rows"] == 1
    assert status["batches"][0]["state"] == "failed"


def test_ids_may_be_numbers(gp: GraphProfile) -> None:
    gp.load([event("1", 7, 5)])  # type: ignore[arg-type]
    assert gp.profile(7).user_id == "7"  # type: ignore[arg-type]
    assert gp.embeddings([7]).ids == ["7"]  # type: ignore[list-item]
    with pytest.raises(UsageError):
        gp.profile(None)  # type: ignore[arg-type]


def test_quarantine_retry_after_the_vocabulary_was_mended(gp: GraphProfile) -> None:
    rows = [event("a", "ann", "i1"), event("b", "ann", "i1", kind="exploded"), event("c", "", "i1")]
    assert gp.load(rows).quarantined == 2
    gp.vocabulary = Vocabulary(events={**DEFAULT_EVENTS, "exploded": EventRule(type="EXPLODED")})
    (result,) = gp.retry_quarantine()
    assert (result.read, result.applied, result.quarantined) == (2, 1, 1)
    (again,) = gp.retry_quarantine()
    assert (again.applied, again.quarantined) == (0, 1)
    with pytest.raises(NotFound):
        gp.retry_quarantine("no-such-batch")


def test_the_latest_description_wins_whatever_the_order(gp: GraphProfile, wipe: Wipe) -> None:
    old = {"item_id": "i", "title": "Old", "colour": "red", "tags": "a", "updated_at": "2024-01-01"}
    new = {"item_id": "i", "title": "New", "tags": "b;c", "updated_at": "2024-02-01"}
    undated = {"item_id": "i", "title": "Undated", "size": "L", "tags": "d"}
    digests = set()
    for order in ([old, new, undated], [undated, new, old], [new, undated, old]):
        gp = wipe(gp)
        gp.load([event("e", "ann", "i")])
        for row in order:
            gp.load([row], kind="items")
        gp.update_tags()
        found = gp.cypher(
            "MATCH (i:Item {id: 'i'}) RETURN i.title AS title, i.colour AS colour, i.size AS size"
        )[0]
        assert found == {"title": "New", "colour": "red", "size": "L"}
        tags = gp.cypher("MATCH (:Item {id: 'i'})-[:HAS_TAG]->(t:Tag) RETURN t.name AS name ORDER BY name")
        assert [row["name"] for row in tags] == ["b", "c"]
        digests.add(gp.digest())
    assert len(digests) == 1


def test_descriptions_of_one_time_are_told_and_the_larger_value_stands(
    gp: GraphProfile, wipe: Wipe, capsys: pytest.CaptureFixture[str]
) -> None:
    for when in ({}, {"updated_at": "2024-01-01"}):
        rows = [{"item_id": "i", "title": title, "tags": "a", **when} for title in ("Tea", "Mint")]
        for order in (rows, rows[::-1]):
            gp = wipe(gp)
            results = [gp.load([row], kind="items") for row in order]
            assert [result.tied for result in results] == [0, 1]
            assert gp.load([{**rows[0], "updated_at": "2023-01-01"}], kind="items").tied == 0
            assert gp.cypher("MATCH (i:Item) RETURN i.title AS title") == [{"title": "Tea"}]
    show_load(results[1])
    assert "1 descriptions say another thing of the same updated_at" in capsys.readouterr().err


def test_a_description_loaded_again_is_a_duplicate(gp: GraphProfile) -> None:
    assert gp.load(ITEMS, kind="items").applied == 2
    again = gp.load(ITEMS, kind="items")
    assert (again.applied, again.duplicates) == (0, 2)


def test_tags_that_would_be_part_of_themselves_are_refused(gp: GraphProfile) -> None:
    rows = [
        {"tag": "genre:Sonnet", "part_of": "genre:Poetry"},
        {"tag": "genre:Poetry", "part_of": "genre:Literature"},
        {"tag": "genre:Literature", "part_of": "genre:Sonnet"},
        {"tag": "genre:Own", "part_of": "genre:Own"},
    ]
    result = gp.load(rows, kind="tags")
    assert (result.applied, result.quarantined) == (2, 2)
    steps = gp.cypher("MATCH (a:Tag)-[:PART_OF]->(b:Tag) RETURN a.name AS a, b.name AS b ORDER BY a")
    assert [(row["a"], row["b"]) for row in steps] == [("Poetry", "Literature"), ("Sonnet", "Poetry")]


@pytest.mark.parametrize("dry_run", [True, False])
def test_reasons_are_told_with_their_first_line(
    gp: GraphProfile, tmp_path: Path, capsys: pytest.CaptureFixture[str], dry_run: bool
) -> None:
    path = tmp_path / "events.csv"
    lines = [f"u{n},viewed,i{n},{'2020-01-02' if n % 3 else 'soon'}" for n in range(12)]
    path.write_text("\n".join(["user_id,event_type,object_id,timestamp", *lines, ",viewed,i,2020"]), "utf-8")
    result = gp.load(path, dry_run=dry_run)
    assert [(why.field, why.rows, why.line) for why in result.reasons] == [
        ("timestamp", 4, 2),
        ("user_id", 1, 14),
    ]
    show_load(result)
    told = capsys.readouterr().err
    assert "Refused: 4 rows, first line 2 of events.csv: timestamp: 'soon'" in told
    assert "Refused: line 14 of events.csv: user_id: is missing" in told


def test_a_dry_run_writes_nothing(gp: GraphProfile) -> None:
    gp.load(EVENTS[:2])
    before = gp.digest()
    result = gp.load(EVENTS, dry_run=True)
    assert (result.applied, result.duplicates, result.dry_run) == (2, 2, True)
    assert gp.digest() == before
    assert len(gp.status()["batches"]) == 1


def test_frames_and_files_give_the_same_graph(gp: GraphProfile, wipe: Wipe, tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "event_id": ["a", "b"],
            "user_id": ["ann", "bob"],
            "event_type": ["viewed", "rated"],
            "object_id": ["i", "i"],
            "timestamp": [1_700_000_000, 1_700_000_100],
            "value": [None, 4.0],
        }
    )
    frame.write_csv(tmp_path / "e.csv")
    frame.write_ndjson(tmp_path / "e.jsonl")
    frame.write_parquet(tmp_path / "e.parquet")
    digests = set()
    for source in (frame, frame.to_arrow(), frame.to_pandas(), frame.to_dicts(), *tmp_path.glob("e.*")):
        gp = wipe(gp)
        assert gp.load(source).applied == 2
        digests.add(gp.digest())
    assert len(digests) == 1


def test_the_batch_record_tells_what_happened(gp: GraphProfile) -> None:
    result = gp.load(EVENTS)
    (batch,) = gp.status()["batches"]
    assert batch["id"] == result.batch
    assert (batch["state"], batch["read"], batch["applied"]) == ("done", 4, 4)
    assert batch["oldest_ts"] == "2023-11-14T22:13:20Z"


def test_more_rows_than_one_transaction_holds(gp: GraphProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphprofile.ingest.blocks.BLOCK_ROWS", 1_000)
    monkeypatch.setattr("graphprofile.ingest.blocks.WORTH_IT", 100)
    rows = [event(f"e{i}", f"u{i % 300}", f"i{i % 77}", ts=1_700_000_000_000 + i) for i in range(12_345)]
    assert gp.load(rows).applied == 12_345
    result = gp.load([*rows[6_000:], *(event(f"n{i}", f"u{i}", "i1") for i in range(500))])
    assert (result.applied, result.duplicates) == (500, 6_345)
    assert gp.status()["events"] == {"viewed": 12_845}


def test_a_long_dirty_file_laid_away_by_user_gives_the_same_graph(
    gp: GraphProfile, wipe: Wipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    rows = [event(f"e{i}", f"u{i % 91}", f"i{i % 77}", ts=1_700_000_000_000 + i) for i in range(3_000)]
    rows += [event(f"f{i}", f"u{i % 91}", f"u{i % 13}", kind="followed") for i in range(200)]
    rows += chance.sample(rows, 500)
    rows += [{**row, "value": 7.0} for row in chance.sample(rows, 100)]
    pl.DataFrame(rows, infer_schema_length=None).write_csv(tmp_path / "e.csv")
    short = gp.load(tmp_path / "e.csv")
    digest = gp.digest()
    gp = wipe(gp)
    for name, rows_held in (("HELD_ROWS", 300), ("LONG_ROWS", 1_500)):
        monkeypatch.setattr(f"graphprofile.ingest.stretches.{name}", rows_held)
    monkeypatch.setattr("graphprofile.ingest.read.CHECK_ROWS", 100)
    monkeypatch.setattr("graphprofile.ingest.session.CHECK_ROWS", 100)
    monkeypatch.setattr("graphprofile.ingest.blocks.BLOCK_ROWS", 200)
    long = gp.load(tmp_path / "e.csv")
    assert (long.applied, long.duplicates, long.conflicts) == (
        short.applied,
        short.duplicates,
        short.conflicts,
    )
    assert short.applied == 3_200
    assert short.conflicts > 0
    assert gp.digest() == digest
    assert gp.load(tmp_path / "e.csv", resend=True).duplicates + long.conflicts == len(rows)
    assert gp.digest() == digest


def test_changed_rules_are_refused_until_tags_full(gp: GraphProfile) -> None:
    gp.load(ITEMS, kind="items")
    gp.load(EVENTS)
    gp.update_tags()
    heavier = {**DEFAULT_EVENTS, "viewed": EventRule(type="VIEWED", weight=10)}
    gp.vocabulary = Vocabulary(events=heavier)
    with pytest.raises(StoreMismatch, match="viewed"):
        gp.load(EVENTS)
    assert gp.update_tags(full=True, verify=True).max_relative_error == pytest.approx(0, abs=1e-9)
    assert gp.load(EVENTS).duplicates == 4


def test_wrong_calls_are_told_apart(gp: GraphProfile, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        gp.load()
    with pytest.raises(UsageError, match="loader"):
        gp.load(EVENTS, loader="nosuch")
    (tmp_path / "empty.csv").write_text("", "utf-8")
    with pytest.raises(SourceError, match="empty"):
        gp.load(tmp_path / "empty.csv")
    (tmp_path / "columns.csv").write_text("when,who\n1,2\n", "utf-8")
    with pytest.raises(SourceError, match="no column user_id") as caught:
        gp.load(tmp_path / "columns.csv", kind="events")
    assert "--map" in str(caught.value.hint)
    with pytest.raises(SourceError, match=r"nosuch\.csv"):
        gp.load(tmp_path / "nosuch.csv")
    assert gp.status()["batches"] == []
