"""Checked events go into the graph: one transaction per block of rows, the record of the batch inside it.

New events are created at once; only where the uniqueness constraint objects is the block looked up first. So a
first load never pays for look-ups, and a replay pays for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from graphprofile.errors import ConstraintViolated
from graphprofile.ingest.blocks import Block, cut
from graphprofile.ingest.counts import Counts
from graphprofile.ingest.creation import (
    as_claim,
    as_frame,
    as_rows,
    create_events,
    merge_objects,
    standings,
)
from graphprofile.ingest.events import (
    EventRow,
    Key,
    Stored,
    as_generic,
    conflict_report,
    delete_events,
    known_hashes,
    merge_users,
    read_stored,
)
from graphprofile.ingest.ledger import Ledger
from graphprofile.ingest.lots import Lots
from graphprofile.ingest.outcomes import outcomes, recalled_outcomes
from graphprofile.ingest.poison import Splitter
from graphprofile.ingest.retracted import anything_retracted, find_retracted, keep_content
from graphprofile.records import EventChunk, Rejection

if TYPE_CHECKING:
    from graphprofile.store import Store, Transaction

OnConflict = Literal["keep", "replace"]
LOOK_UP_ATTEMPTS = 6
KEPT, REPLACED = "the stored one stays", "the new one replaces it"


@dataclass
class EventWriter:
    """Writes checked events of one batch.

    Attributes:
        store: The graph.
        ledger: Record of the batch; None looks up and counts, and writes nothing.
        names: Event name by relationship type.
        watermark: Newest event before the batch; older ones that are applied count as late.
        on_conflict: Which version of an event stands where another one is stored: ``keep`` or ``replace``.
        replaced: Takes a report of each event that was replaced.
        by_line: Also say of each line what became of it.
    """

    store: Store
    ledger: Ledger | None
    names: Mapping[str, str]
    watermark: int | None
    on_conflict: OnConflict = "keep"
    replaced: Callable[[Sequence[Rejection]], None] = lambda _: None
    by_line: bool = False
    _expect_known: bool = field(init=False)
    _splitter: Splitter[pl.DataFrame] = field(init=False)

    def __post_init__(self) -> None:
        # In a store that holds events the first block may be a replay; looking it up once costs less than a
        # failed attempt. From then on the block before tells.
        self._expect_known = self.watermark is not None
        self._splitter = Splitter(self._poisoned)

    def write(
        self,
        chunk: EventChunk,
        name: str,
        reached: Callable[[float], None] = lambda _: None,
        lots: Lots | None = None,
    ) -> Counts:
        """Apply one stretch, a transaction per block.

        Args:
            chunk: Checked events; its rejected rows are counted with the first transaction.
            name: Of the stretch within the batch.
            reached: Called with the share of its rows that is written.
            lots: Where its events lie, if not in its frame.

        Returns:
            The counts; ``rejected`` holds conflicts and rows that the engine refused.
        """
        total = Counts()
        held = len(chunk.rejected)
        written = 0
        height = chunk.frame.height if lots is None else lots.height
        lanes = 1 if self.ledger is None else self.ledger.lanes
        rounds = cut(chunk.frame, lanes) if lots is None else lots.rounds()
        for blocks in rounds:
            work = []
            for lane, block in enumerate(blocks):
                work.append(
                    partial(self._write_block, block, f"{name}.{block.name}", chunk.source, held, lane)
                )
                held = 0
            for counts in _side_by_side(work):
                total.add(counts)
            written += sum(block.events.height for block in blocks)
            reached(written / max(1, height))
        return total

    def _write_block(self, block: Block, part: str, source: str, held: int, lane: int) -> Counts:
        if self.ledger is not None and self.ledger.part(part) in self.ledger.done:
            return Counts(rejected=self._recalled(self.ledger.recall(part), source))
        return self._splitter.run(
            block.events,
            part,
            lambda events, name, refused, first: self._attempt(
                Block(name, events, block.distinct), source, held if first else 0, lane, refused
            ),
            source,
        )

    def _recalled(self, claims: Mapping[str, Any], source: str) -> list[Rejection]:
        """What a transaction before a kill refused: its rows may not have reached the quarantine."""
        others = [EventRow(*fields) for fields in claims.get("others", ())]
        return self._reports(others, {}, source, KEPT)

    def _attempt(
        self, block: Block, source: str, held: int, lane: int, refused: Sequence[Rejection]
    ) -> Counts:
        level = 2 if self.ledger is None else int(self._expect_known)
        for attempt in range(1, LOOK_UP_ATTEMPTS + 1):
            reports: list[Rejection] = []
            try:
                counts = self.store.write(
                    partial(self._apply, block, source, held, lane, level, refused, reports)
                )
            except ConstraintViolated:
                level = min(level + 1, 2)
                if attempt == LOOK_UP_ATTEMPTS:
                    raise
                continue
            self._expect_known = counts.duplicates + counts.conflicts > 0
            self.replaced(reports)
            return counts
        raise AssertionError("unreachable")

    def _apply(
        self,
        block: Block,
        source: str,
        held: int,
        lane: int,
        level: int,
        refused: Sequence[Rejection],
        reports: list[Rejection],
        tx: Transaction,
    ) -> Counts:
        reports.clear()
        if self.ledger is not None:
            done = self.ledger.lock(tx, lane, block.name)
            if done is not None:
                done.counts.rejected = [*refused, *self._recalled(done.claims, source)]
                if self.by_line:
                    done.counts.outcomes = recalled_outcomes(block.events, done.claims, self.watermark)
                return done.counts
        found = self._sort_out(tx, block, level)
        counts = Counts(
            read=block.events.height + held + len(refused),
            applied=found.fresh.height + found.overtaken,
            replaced=len(found.replacing) + found.overtaken,
            quarantined=held + len(refused),
            duplicates=found.repeated.height,
            conflicts=len(found.conflicting),
            rejected=list(refused),
        )
        counts.cover(found.fresh["ts"])
        if self.watermark is not None:
            counts.late = int((found.fresh["ts"] < self.watermark).sum())
        stored = (
            read_stored(self.store, tx, [*found.conflicting, *found.replacing])
            if found.conflicting or found.replacing
            else {}
        )
        counts.rejected += self._reports(found.conflicting, stored, source, KEPT)
        reports += self._reports(found.replacing, stored, source, REPLACED)
        if self.by_line:
            counts.outcomes = outcomes(found.fresh, found.repeated, found.conflicting, self.watermark)
        if self.ledger is not None:
            self._change(tx, self.ledger, found, stored, block.name, lane)
            claims = {
                "applied": as_claim(found.fresh),
                "repeated": as_claim(found.repeated, hashes=True),
                "others": [list(row) for row in found.conflicting],
            }
            self.ledger.record(tx, lane, block.name, counts, claims, file=source, kind="events")
        return counts

    def _sort_out(self, tx: Transaction, block: Block, level: int) -> _SortedOut:
        """What each event is to what is stored, and to those before it."""
        events = block.events
        if events.is_empty():
            return _SortedOut(events, events)
        retracted = anything_retracted(tx)
        if retracted or not block.distinct:
            return self._sort_out_rows(tx, as_rows(events), level, retracted=retracted)
        if not level:
            return _SortedOut(events, events.clear())
        found = standings(self.store, tx, events, wide=level == 2)
        others = as_rows(found["other"])
        if self.on_conflict == "replace":
            return _SortedOut(pl.concat([found["new"], found["other"]]), found["same"], replacing=others)
        return _SortedOut(found["new"], found["same"], conflicting=others)

    def _sort_out_rows(
        self, tx: Transaction, rows: Sequence[EventRow], level: int, *, retracted: bool
    ) -> _SortedOut:
        """The same row by row: where keys come twice, or events were withdrawn."""
        known = known_hashes(self.store, tx, rows, wide=level == 2) if level else {}
        withdrawn: dict[Key, Stored | None] = {}
        if retracted:
            withdrawn = find_retracted(tx, [row.key for row in rows])
        fresh: dict[Key, EventRow] = {}
        repeated: list[EventRow] = []
        found = _SortedOut(as_frame([]), as_frame([]))
        replace = self.on_conflict == "replace"
        for row in rows:
            key = row[0], row[1]
            if key in withdrawn:
                content = withdrawn[key]
                if content is None or (replace and content.row.hash != row.hash):
                    withdrawn[key] = found.kept[key] = Stored(row, self.ledger.batch if self.ledger else None)
                elif content.row.hash != row.hash:
                    found.conflicting.append(row)
                    continue
                found.withdrawn.append(row)
                continue
            mine = fresh.get(key)
            stored = known.get(key) if mine is None else mine.hash
            if stored is None:
                fresh[key] = row
            elif stored == row.hash:
                repeated.append(row)
            elif not replace:
                found.conflicting.append(row)
            elif mine is not None:
                fresh[key] = row
                found.overtaken += 1
            else:
                fresh[key] = row
                found.replacing.append(row)
        found.fresh, found.repeated = as_frame(fresh.values()), as_frame([*repeated, *found.withdrawn])
        return found

    def _change(
        self,
        tx: Transaction,
        ledger: Ledger,
        found: _SortedOut,
        stored: Mapping[Key, Stored],
        part: str,
        lane: int,
    ) -> None:
        if found.replacing:
            old = [stored[row.key] for row in found.replacing]
            delete_events(tx, [event.row for event in old])
            keep_claims(tx, ledger, lane, part, old)
        if found.fresh.height:
            create_events(tx, found.fresh, ledger.batch)
        if found.withdrawn:
            merge_users(tx, found.withdrawn)
            merge_objects(tx, as_frame(found.withdrawn))
            keep_content(tx, found.kept.values())

    def _reports(
        self, rows: Iterable[EventRow], stored: Mapping[Key, Stored], source: str, outcome: str
    ) -> list[Rejection]:
        return [
            conflict_report(row, stored.get(row.key), source, self.names.get(row.type, row.type), outcome)
            for row in rows
        ]

    def _poisoned(self, event: pl.DataFrame, error: str, source: str) -> Rejection:
        (row,) = as_rows(event)
        return Rejection(
            source,
            row.line,
            "row",
            f"the engine refused it: {error}",
            as_generic(row, self.names.get(row.type, row.type)),
            checked=True,
        )


@dataclass
class _SortedOut:
    """The events of a block by what they are to what is stored.

    Attributes:
        fresh: To be created.
        repeated: There already, or withdrawn.
        conflicting: There with another content, which stays.
        replacing: There with another content, which gives way; also among ``fresh``.
        withdrawn: The withdrawn ones among ``repeated``.
        kept: Content that is to be kept of withdrawn ones.
        overtaken: How many were replaced by a later row of the same block.
    """

    fresh: pl.DataFrame
    repeated: pl.DataFrame
    conflicting: list[EventRow] = field(default_factory=list)
    replacing: list[EventRow] = field(default_factory=list)
    withdrawn: list[EventRow] = field(default_factory=list)
    kept: dict[Key, Stored] = field(default_factory=dict)
    overtaken: int = 0


def keep_claims(tx: Transaction, ledger: Ledger, lane: int, part: str, events: Iterable[Stored]) -> None:
    """Note versions that are no longer stored with the batches that brought them, for an undo."""
    by_batch: dict[str, list[EventRow]] = {}
    for event in events:
        if event.batch is not None:
            by_batch.setdefault(event.batch, []).append(event.row)
    for batch, rows in sorted(by_batch.items()):
        ledger.record_for(tx, lane, batch, part, {"others": [list(row) for row in rows]})


def _side_by_side(work: Sequence[Callable[[], Counts]]) -> list[Counts]:
    """Results of all, in order; where one fails the others are waited for.

    The first is done in this thread: every thread more keeps memory of its own.
    """
    first, *others = work
    if not others:
        return [first()]
    with ThreadPoolExecutor(len(others), thread_name_prefix="graphprofile-lane") as pool:
        futures = [pool.submit(one) for one in others]
        return [first(), *(future.result() for future in futures)]
