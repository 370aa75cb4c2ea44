"""Stretches of events and the blocks they are cut into."""

from __future__ import annotations

import errno
import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphprofile.errors import SourceError
from graphprofile.ingest import blocks, lots, stretches
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
    monkeypatch.setattr(lots, "LOTS", 8)
    monkeypatch.setattr(stretches, "HELD_ROWS", 8)


def laid_away(rows: list[Row], writers: int) -> Iterator[list[blocks.Block]]:
    """The same rows by way of the disk, laid there in pieces."""
    with tempfile.TemporaryDirectory() as folder:
        place = lots.Lots(Path(folder), writers)
        for piece in frame(rows).iter_slices(13):
            place.add(piece)
        assert place.height == len(rows)
        assert not list(Path(folder).iterdir()), "rows lie where others can open them"
        yield from place.rounds()


def in_memory(rows: list[Row], writers: int) -> Iterator[list[blocks.Block]]:
    yield from blocks.cut(frame(rows), writers)


Cut = Callable[[list[Row], int], Iterator[list[blocks.Block]]]


@pytest.mark.parametrize("cut", [in_memory, laid_away])
@pytest.mark.parametrize("writers", [1, 2])
@settings(deadline=None)
@given(rows=ROWS)
def test_a_cut_keeps_every_row_once_and_first_rows_first(cut: Cut, writers: int, rows: list[Row]) -> None:
    found = list(cut(rows, writers))
    assert sorted(line for r in found for b in r for line in b.events["line"]) == list(range(len(rows)))
    names = [block.name for r in found for block in r]
    assert not [one for one in names for other in names if one is not other and other.startswith(one)]
    assert names == [block.name for r in cut(rows, writers) for block in r]
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
        for events in block.events.partition_by("user_id"):
            assert events["line"].is_sorted()
        assert block.events.height <= 2 * blocks.BLOCK_ROWS
        assert not (block.distinct and block.events["event_id"].is_duplicated().any())


@pytest.mark.parametrize("cut", [in_memory, laid_away])
@settings(deadline=None)
@given(rows=ROWS)
def test_blocks_of_a_round_share_no_node(cut: Cut, rows: list[Row]) -> None:
    for one, *others in cut(rows, 2):
        for other in others:
            for column in ("user_id", "object_id"):
                assert not set(one.events[column]) & set(other.events[column])
            assert "user" not in {*one.events["object_kind"], *other.events["object_kind"]}


def test_rows_come_off_the_disk_as_they_were_laid_there() -> None:
    rows = [(f"e{n}", f"u{n % 7}", f"i{n % 5}", "item") for n in range(50)]
    found = pl.concat([block.events for r in laid_away(rows, 2) for block in r]).sort("line")
    assert found.equals(frame(rows))


@pytest.mark.parametrize("when", ["write", "flush"])
def test_a_disk_without_room_is_told(tmp_path: Path, when: str) -> None:
    def fails(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    Full = type("Full", (io.BytesIO,), {when: fails})
    place = lots.Lots(tmp_path, 1)
    place._file.close()
    place._file = Full()  # type: ignore[assignment]
    with pytest.raises(SourceError, match="No space left"):
        place.add(frame([("e1", "u1", "i1", "item")]))
    with pytest.raises(SourceError, match="cannot be laid there"):
        lots.Lots(Path("/dev/null/folder"), 1)


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
    found = [c for _, c, _ in stretched(iter(source))]
    assert [len(c.frame) for c in found if isinstance(c, EventChunk)] == [8, 8, 4]
    assert [(c.read, c.position, len(c.rejected)) for c in found] == [(10, 8, 2), (10, 16, 2), (5, 20, 1)]
    one = found[0]
    assert isinstance(one, EventChunk)
    assert (one.skipped, one.cleaned) == ({"robots": 2}, {"events.who.trim": 4})
    assert one.frame["event_id"].to_list() == [f"e{n}" for n in range(8)]


@pytest.mark.parametrize(("size", "patience"), [(100, 0.0), (None, 600.0), (None, 0.0)])
def test_a_long_stretch_waits_on_disk_unless_its_source_is_slow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: int | None, patience: float
) -> None:
    monkeypatch.setattr(stretches, "LONG_ROWS", 40)
    monkeypatch.setattr(stretches, "PATIENCE_SECONDS", patience)
    source: list[Checked] = [(EVENTS, replace(chunk(4, first=4 * n), size=size)) for n in range(14)]
    found = list(stretched(iter(source), lambda: lots.Lots(tmp_path, 1)))
    if size is None and not patience:
        assert [len(c.frame) for _, c, _ in found if isinstance(c, EventChunk)] == [8] * 7
        return
    (_, long, away), (_, rest, others) = found
    assert isinstance(long, EventChunk)
    assert isinstance(rest, EventChunk)
    assert away is not None
    assert others is not None
    assert (away.height, len(long.frame), long.read, len(long.rejected)) == (40, 0, 50, 10)
    assert (others.height, len(rest.frame), rest.read, rest.position) == (16, 0, 20, 56)
    lines = [b.events["event_id"].to_list() for place in (away, others) for r in place.rounds() for b in r]
    assert sorted(e for block in lines for e in block) == sorted(f"e{n}" for n in range(56))


def test_many_refused_rows_do_not_wait(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stretches, "REFUSED_ROWS", 3)
    source: list[Checked] = [(EVENTS, chunk(0, first=n)) for n in range(7)]
    found = list(stretched(iter(source), lambda: lots.Lots(tmp_path, 1)))
    assert [len(c.rejected) for _, c, _ in found] == [3, 3, 1]


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
    found = [(o.loader, c.source_number, c.kind, c.read) for o, c, _ in stretched(iter(source))]
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

    reading = stretched(failing())
    assert next(reading)[1].read == 4
    with pytest.raises(SourceError):
        next(reading)
