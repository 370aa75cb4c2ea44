"""Conflicts decided, events withdrawn, batches undone: the graph is as if the wrong thing had never come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graphprofile import GraphProfile
from graphprofile.errors import NotFound, UsageError
from graphprofile.vocabulary import DEFAULT_EVENTS

Row = dict[str, Any]


def event(event_id: str, user: str = "u1", item: str = "i1", **more: Any) -> Row:
    return {
        "event_id": event_id,
        "user_id": user,
        "event_type": "viewed",
        "object_id": item,
        "timestamp": 1_700_000_000_000,
        **more,
    }


def clear(gp: GraphProfile) -> None:
    from conftest import empty

    empty(gp.store)
    gp._rules = None
    gp.init()


def digest(gp: GraphProfile) -> str:
    gp.update_tags(verify=True)
    return gp.digest()


def value_of(gp: GraphProfile, event_id: str) -> Any:
    rows = gp.cypher("MATCH (:User)-[e:VIEWED {event_id: $id}]->() RETURN e.value AS value", id=event_id)
    return [row["value"] for row in rows]


# --- conflicts ----------------------------------------------------------------------------------------------


def test_a_conflict_keeps_what_is_stored_unless_told_otherwise(gp: GraphProfile) -> None:
    gp.load([event("e1", value=1.0)])
    kept = gp.load([event("e1", value=2.0)])
    assert (kept.conflicts, kept.applied, value_of(gp, "e1")) == (1, 0, [1.0])
    replaced = gp.load([event("e1", value=2.0), event("e2")], on_conflict="replace")
    assert (replaced.conflicts, replaced.applied, replaced.replaced) == (0, 2, 1)
    assert value_of(gp, "e1") == [2.0]
    assert replaced.quarantine_file is None
    assert replaced.replaced_file is not None
    (line,) = Path(replaced.replaced_file).read_text("utf-8").splitlines()
    assert "value 1.0" in line
    assert orjson.loads(line)["row"]["value"] == 2.0
    assert gp.load([event("e1", value=2.0)]).duplicates == 1


def test_replacing_moves_the_interest_to_the_new_user(gp: GraphProfile) -> None:
    gp.load([{"item_id": "i1", "tags": "genre:Poetry"}], kind="items")
    gp.load([event("e1", "u1")])
    gp.update_tags()
    gp.load([event("e1", "u2")], on_conflict="replace")
    gp.update_tags(verify=True)
    assert gp.profile("u1").tags == []
    assert [tag.tag for tag in gp.profile("u2").tags] == ["Poetry"]


def test_the_later_row_of_one_source_replaces_the_earlier(gp: GraphProfile) -> None:
    result = gp.load([event("e1", value=1.0), event("e1", value=2.0)], on_conflict="replace")
    assert (result.applied, result.replaced, value_of(gp, "e1")) == (2, 1, [2.0])


def test_a_wrong_policy_is_told(gp: GraphProfile) -> None:
    with pytest.raises(UsageError, match="on_conflict"):
        gp.load([event("e1")], on_conflict="merge")  # type: ignore[arg-type]


# --- withdrawals --------------------------------------------------------------------------------------------


def test_a_withdrawn_event_goes_and_no_replay_brings_it_back(gp: GraphProfile) -> None:
    gp.load([{"item_id": "i1", "tags": "genre:Poetry"}], kind="items")
    gp.load([event("e1"), event("e2", "u2")])
    gp.update_tags()
    result = gp.load([{"event_type": "viewed", "event_id": "e1"}], kind="retracted")
    assert (result.read, result.applied) == (1, 1)
    assert gp.load([event("e1"), event("e2", "u2")]).duplicates == 2
    assert gp.update_tags(verify=True).max_relative_error == pytest.approx(0, abs=1e-9)
    assert gp.profile("u1").tags == []
    assert gp.profile("u1").events == {}
    assert gp.load([{"event_type": "viewed", "event_id": "e1"}], kind="retracted").duplicates == 1


def test_a_withdrawal_wins_whatever_the_order(gp: GraphProfile) -> None:
    gone = [{"event_type": "viewed", "event_id": "e1"}]
    gp.load([event("e1"), event("e2")])
    gp.load(gone, kind="retracted")
    after = digest(gp)
    clear(gp)
    gp.load(gone, kind="retracted")
    result = gp.load([event("e1"), event("e2")])
    assert (result.applied, result.duplicates) == (1, 1)
    assert digest(gp) == after
    clear(gp)
    # In one source, as a column.
    gp.load([event("e2"), {"event_id": "e1", "event_type": "viewed", "retracted": "true"}, event("e1")])
    assert digest(gp) == after
    clear(gp)
    gp.load([event("e1"), event("e2"), event("e1", retracted=True), event("e2", retracted="no")])
    assert digest(gp) == after


def test_a_withdrawal_of_any_type_takes_the_event_of_that_id_whatever_it_is(gp: GraphProfile) -> None:
    gone = [{"event_type": "*", "event_id": "e1", "retracted": True}]
    gp.load([event("e1", event_type="liked"), event("e2")])
    result = gp.load(gone)
    assert (result.read, result.applied) == (len(DEFAULT_EVENTS), len(DEFAULT_EVENTS))
    assert gp.profile("u1").events == {"viewed": 1}
    after = digest(gp)
    assert gp.load(gone, kind="retracted").duplicates == len(DEFAULT_EVENTS)
    clear(gp)
    gp.load([*gone, event("e2"), event("e1", event_type="liked")])
    assert digest(gp) == after
    # Of an event it says nothing.
    assert gp.load([event("e3", event_type="*")]).quarantined == 1


def test_a_column_retracted_takes_true_and_false_only(gp: GraphProfile) -> None:
    result = gp.load([event("e1", retracted="perhaps"), event("e2", retracted="")])
    assert (result.quarantined, result.applied) == (1, 1)


def test_an_unknown_type_cannot_be_withdrawn(gp: GraphProfile) -> None:
    result = gp.load([{"event_type": "nosuch", "event_id": "e1"}], kind="retracted")
    assert result.quarantined == 1


# --- undo ---------------------------------------------------------------------------------------------------


def test_undo_takes_out_what_only_that_batch_brought(gp: GraphProfile) -> None:
    gp.load(
        [{"item_id": "i1", "title": "One", "tags": "genre:Poetry", "updated_at": "2024-01-01"}], kind="items"
    )
    gp.load([event("e1")])
    before = digest(gp)
    described = gp.load(
        [
            {
                "item_id": "i1",
                "title": "Wrong",
                "tags": "genre:Prose",
                "updated_at": "2024-02-01",
                "shelf": 3,
            },
            {"item_id": "i9", "title": "New", "tags": "genre:Drama"},
        ],
        kind="items",
    )
    wrong = gp.load([event("e1"), event("e2", "u9", "i9"), event("e3", "u1", "i8")])
    gp.update_tags()
    undone = gp.undo(wrong.batch)
    assert (undone.events, undone.nodes, undone.handed_over) == (2, 2, 0)
    assert gp.undo(described.batch).nodes == 1
    assert digest(gp) == before
    assert [batch["state"] for batch in gp.status()["batches"]] == ["undone", "undone", "done", "done"]
    assert {"name": "Drama"} not in gp.cypher("MATCH (t:Tag) RETURN t.name AS name")


def test_tags_of_an_undone_batch_go_though_somebody_is_interested_in_them(gp: GraphProfile) -> None:
    gp.load([event("e1"), event("e2", "u2")])
    before = digest(gp)
    described = gp.load([{"item_id": "i1", "title": "One", "tags": "genre:Odd"}], kind="items")
    gp.update_tags()
    assert gp.cypher("MATCH (:User)-[:INTERESTED_IN]->(t:Tag) RETURN DISTINCT t.name AS name") == [
        {"name": "Odd"}
    ]
    gp.undo(described.batch)
    assert gp.cypher("MATCH (t:Tag) RETURN t.name AS name") == []
    assert digest(gp) == before
    assert gp.profile("u1").tags == []


def test_what_another_batch_brought_too_is_handed_over(gp: GraphProfile) -> None:
    first = gp.load([event("e1"), event("e2")])
    second = gp.load([event("e1")])
    undone = gp.undo(first.batch)
    assert (undone.events, undone.handed_over) == (1, 1)
    (row,) = gp.cypher("MATCH ()-[e:VIEWED]->() RETURN e.event_id AS id, e.batch AS batch")
    assert row == {"id": "e1", "batch": second.batch}
    assert gp.undo(second.batch).events == 1
    assert gp.status()["nodes"] == {}
    assert gp.status()["watermark"] is None


def test_a_version_that_was_refused_takes_the_place_of_the_undone_one(gp: GraphProfile) -> None:
    first = gp.load([event("e1", value=1.0)])
    second = gp.load([event("e1", value=2.0)])
    third = gp.load([event("e1", value=1.0)])
    gp.undo(first.batch)
    assert value_of(gp, "e1") == [2.0]
    gp.undo(second.batch)
    assert value_of(gp, "e1") == [1.0]
    gp.undo(third.batch)
    assert value_of(gp, "e1") == []


def test_undoing_a_replacement_brings_the_old_version_back(gp: GraphProfile) -> None:
    gp.load([event("e1", value=1.0)])
    before = digest(gp)
    gp.load([event("e1", value=3.0)])
    second = gp.load([event("e1", value=2.0)], on_conflict="replace")
    gp.undo(second.batch)
    assert digest(gp) == before


def test_undoing_a_withdrawal_brings_the_event_back(gp: GraphProfile) -> None:
    gp.load([event("e1"), event("e2")])
    before = digest(gp)
    gone = gp.load([{"event_type": "viewed", "event_id": "e1"}], kind="retracted")
    assert gp.undo(gone.batch).restored == 1
    assert digest(gp) == before


def test_undo_of_what_is_not_there(gp: GraphProfile) -> None:
    with pytest.raises(NotFound, match="nosuch"):
        gp.undo("nosuch")
    batch = gp.load([event("e1")]).batch
    gp.undo(batch)
    with pytest.raises(UsageError, match="undone already"):
        gp.undo(batch)
    assert gp.load([event("e1")]).applied == 1


def test_a_file_seen_whole_counts_as_brought_by_who_did_not_send_it(gp: GraphProfile, tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text(
        "event_id,user_id,event_type,object_id,timestamp\ne1,u1,viewed,i1,2024-01-01\n", "utf-8"
    )
    items = tmp_path / "items.csv"
    items.write_text("item_id,title,tags\ni1,One,genre:Poetry\n", "utf-8")
    first = gp.load(events, items)
    before = digest(gp)
    second = gp.load(items, events)
    assert (second.read, second.duplicates, second.unsent) == (2, 2, 2)
    gp.undo(first.batch)
    assert digest(gp) == before
    gp.undo(second.batch)
    assert gp.status()["nodes"] == {}


@st.composite
def batches(draw: st.DrawFn) -> list[tuple[str, str, list[Row]]]:
    """A few batches about the same few things, that agree, overtake and contradict each other."""
    ids = st.sampled_from(["a", "b", "c"])
    few = st.lists(ids, min_size=1, max_size=3)
    found = []
    for number in range(draw(st.integers(2, 5))):
        kind = draw(st.sampled_from(["events", "events", "items", "users", "tags", "retracted"]))
        policy = draw(st.sampled_from(["keep", "keep", "replace"]))
        rows: list[Row] = []
        for name in draw(few):
            when = draw(st.sampled_from([None, "2024-01-01", "2024-02-01"]))
            stamp = {"updated_at": when} if when else {}
            if kind == "events":
                rows.append(event(name, draw(ids), draw(ids), value=draw(st.sampled_from([None, 1.0, 2.0]))))
            elif kind == "retracted":
                rows.append({"event_type": "viewed", "event_id": name})
            elif kind == "users":
                rows.append({"user_id": name, "age": number, **stamp})
            elif kind == "tags":
                rows.append({"tag": f"t:{name}", "part_of": "t:top", **stamp})
            else:
                rows.append({"item_id": name, "tags": f"t:{draw(ids)}", "size": number % 2, **stamp})
        found.append((kind, policy, rows))
    return found


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), todo=batches())
def test_an_undone_batch_was_never_there(gp: GraphProfile, data: st.DataObject, todo: Any) -> None:
    def load(left_out: frozenset[int]) -> list[str]:
        clear(gp)
        return [
            gp.load(rows, kind=kind, on_conflict=policy).batch
            for number, (kind, policy, rows) in enumerate(todo)
            if number not in left_out
        ]

    out = data.draw(st.sets(st.integers(0, len(todo) - 1), min_size=1, max_size=2))
    load(frozenset(out))
    never = digest(gp)
    names = load(frozenset())
    if data.draw(st.booleans()):
        gp.update_tags()
    for number in data.draw(st.permutations(sorted(out))):
        gp.undo(names[number])
    assert digest(gp) == never
