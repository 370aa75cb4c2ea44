"""First pass: checked rows onto disk, refused rows into quarantine, the hierarchy of tags in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
import polars as pl

from graphprofile.ingest import fold
from graphprofile.ingest.bulk.parts import Claims, Names, Part, Place
from graphprofile.ingest.bulk.spill import Spread, Stretches
from graphprofile.ingest.claims import pack
from graphprofile.ingest.counts import Counts
from graphprofile.records import (
    LABELS,
    Chunk,
    Description,
    DescriptionChunk,
    EventChunk,
    Rejection,
    RetractionChunk,
)

EVENT_ROWS = 100_000
DESCRIPTION_ROWS = 2_000
WITHDRAWAL_ROWS = 5_000

Refuse = Callable[[Sequence[Rejection]], None]


@dataclass
class Collected:
    """What the first pass left.

    Attributes:
        events: Checked events in the order of the sources, with ``seq`` (their number) and ``source``.
        keys: Type, id, hash and number of each event, spread by id.
        withdrawn: Type, id, number and place of its part of each withdrawal, spread by id.
        said: Descriptions of nodes, spread by id: ``id``, ``label``, ``seq`` and the row as JSON.
        claims: What the parts of descriptions and withdrawals claim.
        names: Names of parts.
        tags: The tags that were described, by ``kind:name``.
        named_tags: All tags that the hierarchy names.
        tags_by: Tags whose rows were read, refused ones too.
        sources: File names by number.
        rows: Rows read of each source.
        flawed: Sources with refused rows.
        skipped: Reason -> rows that the loader left out on purpose.
        cleaned: Rule of a mapping file -> values that it changed.
        refused: Rows refused of each (source, kind).
        described: Parts of descriptions; those of nodes lack their counts of applied rows and duplicates.
        withdrawals: Parts of withdrawals; they lack these counts, too.
        descriptions: Rows that describe nodes.
        withdrawal_rows: Rows that withdraw events.
    """

    events: Stretches
    keys: Spread
    withdrawn: Spread
    said: Spread
    claims: Claims
    names: Names = field(default_factory=Names)
    tags: dict[str, fold.State] = field(default_factory=dict)
    named_tags: set[fold.TagKey] = field(default_factory=set)
    tags_by: set[fold.TagKey] = field(default_factory=set)
    sources: dict[int, str] = field(default_factory=dict)
    rows: Counter[int] = field(default_factory=Counter)
    flawed: set[int] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)
    cleaned: Counter[str] = field(default_factory=Counter)
    refused: dict[tuple[int, str], int] = field(default_factory=dict)
    described: list[Part] = field(default_factory=list)
    withdrawals: list[Part] = field(default_factory=list)
    descriptions: int = 0
    withdrawal_rows: int = 0


class Collector:
    """Takes checked chunks; writing goes on in a thread while the next chunk is read and checked."""

    def __init__(self, folder: Path, refuse: Refuse) -> None:
        self.collected = Collected(
            events=Stretches(folder, "rows"),
            keys=Spread(folder, "keys", "event_id"),
            withdrawn=Spread(folder, "withdrawn", "event_id"),
            said=Spread(folder, "said", "id"),
            claims=Claims(folder / "claims"),
        )
        self._refuse = refuse
        self._waiting: list[pl.DataFrame] = []
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="graphprofile-spill")
        self._pending: Future[None] | None = None

    def add(self, chunk: Chunk) -> None:
        """Take one chunk."""
        collected, source = self.collected, chunk.source_number
        collected.sources.setdefault(source, chunk.source)
        collected.rows[source] += chunk.read
        if isinstance(chunk, EventChunk):
            self._events(chunk)
        elif isinstance(chunk, RetractionChunk):
            self._withdrawals(chunk)
        elif chunk.kind == "tags":
            self._tags(chunk)
        else:
            self._nodes(chunk)
        if not isinstance(chunk, RetractionChunk):
            collected.skipped.update(chunk.skipped)
            collected.cleaned.update(chunk.cleaned)
        if chunk.rejected:
            self._refuse(chunk.rejected)
            collected.flawed.add(source)
            key = (source, chunk.kind)
            collected.refused[key] = collected.refused.get(key, 0) + len(chunk.rejected)

    def finish(self) -> Collected:
        """Write what waits."""
        self._flush()
        self._settle()
        return self.collected

    def __enter__(self) -> Collector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)

    def _events(self, chunk: EventChunk) -> None:
        if not chunk.frame.height:
            return
        self._waiting.append(
            chunk.frame.with_columns(pl.lit(chunk.source_number, dtype=pl.UInt32).alias("source"))
        )
        if sum(frame.height for frame in self._waiting) >= EVENT_ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        frames, self._waiting = self._waiting, []
        self._settle()
        self._pending = self._pool.submit(self._write, frames)

    def _settle(self) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            pending.result()

    def _write(self, frames: Iterable[pl.DataFrame]) -> None:
        first = pl.lit(self.collected.events.rows, dtype=pl.Int64)
        rows = pl.concat(frames).with_columns((pl.int_range(pl.len(), dtype=pl.Int64) + first).alias("seq"))
        self.collected.events.add(rows)
        self.collected.keys.add(rows.select("event_id", "type", "hash", "seq"))

    def _withdrawals(self, chunk: RetractionChunk) -> None:
        collected = self.collected
        for start in range(0, chunk.frame.height, WITHDRAWAL_ROWS):
            rows = chunk.frame[start : start + WITHDRAWAL_ROWS]
            typed: dict[str, set[str]] = defaultdict(set)
            for event_type, event_id in rows.select("type", "event_id").iter_rows():
                typed[event_type].add(event_id)
            claims = {"retracted": {event_type: sorted(ids) for event_type, ids in typed.items()}}
            place = len(collected.withdrawals)
            collected.withdrawals.append(
                Part(
                    chunk.source_number,
                    collected.names(chunk.source_number),
                    "retracted",
                    Counts(read=rows.height),
                    collected.claims.add(pack(claims)),
                    collected.withdrawal_rows,
                    rows.height,
                )
            )
            first = pl.lit(collected.withdrawal_rows, dtype=pl.Int64)
            collected.withdrawn.add(
                rows.select(
                    "event_id",
                    "type",
                    (pl.int_range(pl.len(), dtype=pl.Int64) + first).alias("seq"),
                    pl.lit(place, dtype=pl.UInt32).alias("part"),
                )
            )
            collected.withdrawal_rows += rows.height

    def _nodes(self, chunk: DescriptionChunk) -> None:
        collected, first = self.collected, self.collected.descriptions
        if chunk.rows:
            collected.said.add(
                pl.DataFrame(
                    {
                        "id": [row.id for row in chunk.rows],
                        "label": [LABELS[chunk.kind]] * len(chunk.rows),
                        "seq": range(first, first + len(chunk.rows)),
                        "row": [
                            orjson.dumps([row.properties, row.tags, row.updated_at]) for row in chunk.rows
                        ],
                    },
                    schema={"id": pl.String, "label": pl.String, "seq": pl.Int64, "row": pl.Binary},
                )
            )
        collected.descriptions += len(chunk.rows)
        repeats = chunk.repeats
        for start in range(0, len(chunk.rows), DESCRIPTION_ROWS):
            rows = chunk.rows[start : start + DESCRIPTION_ROWS]
            part = self._part(chunk, rows, Counts(read=len(rows) + repeats, duplicates=repeats))
            part.first, part.rows = first + start, len(rows)
            repeats = 0

    def _tags(self, chunk: DescriptionChunk) -> None:
        """Fold as the incremental load does, whose transactions decide which row of a cycle is refused."""
        tags, repeats = self.collected.tags, chunk.repeats
        for start in range(0, len(chunk.rows), DESCRIPTION_ROWS):
            rows = chunk.rows[start : start + DESCRIPTION_ROWS]
            named = {(kind, name) for row in rows for kind, name, _ in row.tags or []}
            self.collected.named_tags |= named
            self.collected.tags_by |= {fold.tag_key(row.id) for row in rows}
            standing = {
                fold.tag_key(id_): {(kind, name) for kind, name, _ in state.tags}
                for id_, state in tags.items()
            }
            broader = {key: fold.reachable(key, standing) for key in named}
            kept, rejected = fold.refuse_cycles(rows, broader, chunk.source)
            news = sum(
                tags.setdefault(row.id, fold.State()).take(row.properties, row.tags, row.updated_at)
                for row in kept
            )
            if rejected:
                self._refuse(rejected)
                self.collected.flawed.add(chunk.source_number)
            counts = Counts(read=len(rows) + repeats, applied=news, quarantined=len(rejected))
            counts.duplicates = len(kept) - news + repeats
            self._part(chunk, kept, counts)
            repeats = 0

    def _part(self, chunk: DescriptionChunk, rows: Sequence[Description], counts: Counts) -> Part:
        name = self.collected.names(chunk.source_number)
        part = Part(chunk.source_number, name, chunk.kind, counts, self._claim(rows))
        self.collected.described.append(part)
        return part

    def _claim(self, rows: Sequence[Description]) -> Place:
        said: list[Any] = [[row.id, row.properties, row.tags, row.updated_at] for row in rows]
        return self.collected.claims.add(pack({"rows": said, "refused": []}))
