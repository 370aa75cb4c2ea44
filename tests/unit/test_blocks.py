"""Stretches of events and the blocks they are cut into."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphprofile.errors import SourceError
from graphprofile.ingest import blocks
from graphprofile.ingest.check import EVENT_SCHEMA
from graphprofile.ingest.quarantine import Origin
from graphprofile.ingest.stretches import Checked, stretched
from graphprofile.records import DescriptionChunk, EventChunk, Rejection

Row = tuple[str, str, str, str]
"""Event id, user, object, kind of object."""

ROWS = st.lists(
    st.tuples(
        st.integers(0, 60).map(lambda n: f"e{n}"),
        st.integers(0, 9).map(lambda n: f"u{n}"),
        st.integers(0, 9).map(lambda n: f"i{n}"),
        st.sampled_from(["item", "item", "content", "user"]),
    ),
    max_size=120,
)


def frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            ("VIEWED", event, user, thing, kind, 1, None, None, None, "h", line)
            for line, (event, user, thing, kind) in enumerate(rows)
        ],
        schema=EVENT_SCHEMA,
        orient="row",
    )


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 10)
    monkeypatch.setattr(blocks, "WORTH_IT", 4)


@pytest.mark.parametrize("writers", [1, 2])
@settings(deadline=None)
@given(rows=ROWS)
def test_a_cut_keeps_every_row_once_and_first_rows_first(writers: int, rows: list[Row]) -> None:
    found = list(blocks.cut(frame(rows), writers))
    assert sorted(line for r in found for b in r for line in b.events["line"]) == list(range(len(rows)))
    names = [block.name for r in found for block in r]
    assert len(names) == len(set(names))
    assert names == [block.name for r in blocks.cut(frame(rows), writers) for block in r]
    place = {line: at for at, r in enumerate(found) for b in r for line in b.events["line"]}
    first: dict[str, int] = {}
    last: dict[str, tuple[int, int]] = {}
    for line, (event, *_) in enumerate(rows):
        # Before all that repeat it, which come in the order of the source.
        assert place[first.setdefault(event, line)] <= place[line]
        assert last.get(event, (0, -1)) <= (place[line], line)
        if first[event] != line:
            last[event] = place[line], line
    for block in (block for r in found for block in r):
        assert block.events["line"].is_sorted()
        assert block.events.height <= 2 * blocks.BLOCK_ROWS
        assert not (block.distinct and block.events["event_id"].is_duplicated().any())


@settings(deadline=None)
@given(rows=ROWS)
def test_blocks_of_a_round_share_no_node(rows: list[Row]) -> None:
    for one, *others in blocks.cut(frame(rows), 2):
        for other in others:
            for column in ("user_id", "object_id"):
                assert not set(one.events[column]) & set(other.events[column])
            assert "user" not in {*one.events["object_kind"], *other.events["object_kind"]}


def test_each_user_is_named_by_one_block_of_one_writer() -> None:
    rows = [(f"e{n}", f"u{n % 17}", f"i{n % 23}", "item") for n in range(100)]
    users = [user for r in blocks.cut(frame(rows), 1) for b in r for user in set(b.events["user_id"])]
    assert len(users) == 17


@pytest.mark.parametrize("writers", [1, 2])
def test_a_user_with_more_events_than_a_transaction_holds_fills_several(writers: int) -> None:
    found = list(blocks.cut(frame([(f"e{n}", "u1", "i1", "item") for n in range(95)]), writers))
    assert [block.events.height for r in found for block in r] == [20, 20, 20, 20, 15]


def test_nothing_is_one_block_that_can_carry_refused_rows() -> None:
    ((block,),) = blocks.cut(frame([]), 2)
    assert block.events.height == 0


# --- stretches --------------------------------------------------------------------------------------------

EVENTS = Origin("events", "generic")


def chunk(rows: int, number: int = 0, first: int = 0) -> EventChunk:
    return EventChunk(
        frame([(f"e{first + n}", "u1", "i1", "item") for n in range(rows)]),
        [Rejection("a.csv", first + rows + 1, "row", "is bad", "x")],
        rows + 1,
        "a.csv",
        position=first + rows,
        size=100,
        source_number=number,
        skipped={"robots": 1},
        cleaned={"events.who.trim": 2},
    )


def test_chunks_of_one_source_become_stretches() -> None:
    source: list[Checked] = [(EVENTS, chunk(4, first=4 * n)) for n in range(5)]
    found = [c for _, c in stretched(iter(source), 8)]
    assert [len(c.frame) for c in found if isinstance(c, EventChunk)] == [8, 8, 4]
    assert [(c.read, c.position, len(c.rejected)) for c in found] == [(10, 8, 2), (10, 16, 2), (5, 20, 1)]
    one = found[0]
    assert isinstance(one, EventChunk)
    assert (one.skipped, one.cleaned) == ({"robots": 2}, {"events.who.trim": 4})
    assert one.frame["event_id"].to_list() == [f"e{n}" for n in range(8)]


def test_sources_origins_and_kinds_stay_apart_in_their_order() -> None:
    described = DescriptionChunk("items", [], [], 0, "a.csv")
    elsewhere = Origin("events", "segment")
    source: list[Checked] = [
        (EVENTS, chunk(1)),
        (EVENTS, chunk(1, number=1)),
        (Origin("items", "generic"), described),
        (EVENTS, chunk(1, number=1)),
        (elsewhere, chunk(1, number=1)),
        (elsewhere, chunk(1, number=1)),
    ]
    found = [(o.loader, c.source_number, c.kind, c.read) for o, c in stretched(iter(source), 100)]
    assert found == [
        ("generic", 0, "events", 2),
        ("generic", 1, "events", 2),
        ("generic", 0, "items", 0),
        ("generic", 1, "events", 2),
        ("segment", 1, "events", 4),
    ]


def test_what_was_read_before_a_failure_is_handed_on() -> None:
    def failing() -> Iterator[Checked]:
        yield EVENTS, chunk(3)
        raise SourceError("a.csv: broke off.", "Get the file again.")

    reading = stretched(failing(), 100)
    assert next(reading)[1].read == 4
    with pytest.raises(SourceError):
        next(reading)
