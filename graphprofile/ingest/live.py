"""Events that come one by one or by the thousand, for as long as a service runs: one batch, written bit by bit.

A batch for every few events would leave a record for each; here an hour's events are one batch, each write being a
part of it. A service that was killed leaves its batch behind, and the next one goes on with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from graphprofile.errors import BatchTakenOver
from graphprofile.ingest.apply import EventWriter
from graphprofile.ingest.check import EVENT_SCHEMA
from graphprofile.ingest.counts import Counts
from graphprofile.ingest.describe import DescriptionWriter
from graphprofile.ingest.ledger import Ledger
from graphprofile.ingest.loaders import find_loader
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.outcomes import ACCEPTED, CONFLICT, LATE, REJECTED
from graphprofile.ingest.quality.compare import way_of
from graphprofile.ingest.quality.filled import Filled
from graphprofile.ingest.quality.posted import Posted
from graphprofile.ingest.read import read_checked
from graphprofile.ingest.recipes import Recipe
from graphprofile.ingest.session import new_batch_id
from graphprofile.reading import watermark
from graphprofile.records import (
    Description,
    DescriptionChunk,
    EventChunk,
    Kind,
    Rejection,
    RetractionChunk,
)
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.store import Store

SOURCE = "<live>"
COMMAND = "live"
LONGEST_SECONDS = 3_600.0
NO_WITHDRAWALS = "events are withdrawn with `graphprofile load --kind retracted`"


@dataclass(frozen=True)
class Verdict:
    """What became of one event; ``field`` and ``reason`` where it was refused or is in conflict."""

    outcome: str
    event_id: str | None = None
    field: str | None = None
    reason: str | None = None


@dataclass
class Checked:
    """Rows of one sender, checked.

    Attributes:
        rows: How many came.
        events: Good ones, columns as in :data:`graphprofile.ingest.check.EVENT_SCHEMA`; ``line`` counts from 1.
        refused: Verdicts on the others, by line.
        filled: How many rows have a value in each column.
        rejected: The others as a load refuses them.
    """

    rows: int
    events: pl.DataFrame
    refused: dict[int, Verdict] = field(default_factory=dict)
    filled: Filled = field(default_factory=Filled)
    rejected: list[Rejection] = field(default_factory=list)


def check_rows(rows: Sequence[Any], vocabulary: Vocabulary) -> Checked:
    """Check rows in the generic columns, as a load does.

    Args:
        rows: One mapping each.
        vocabulary: The rules in use.
    """
    frames: list[pl.DataFrame] = []
    found = Checked(len(rows), pl.DataFrame(schema=EVENT_SCHEMA))
    refused = found.refused
    for chunk in read_checked(list(rows), find_loader("generic"), "events", Mapping.parse([]), vocabulary):
        for rejection in chunk.rejected:
            row = rejection.row if isinstance(rejection.row, dict) else {}
            given = row.get("event_id")
            refused[rejection.line] = Verdict(
                REJECTED, None if given is None else str(given), rejection.field, rejection.reason
            )
        found.rejected += chunk.rejected
        if isinstance(chunk, EventChunk):
            frames.append(chunk.frame)
            if chunk.filled is not None:
                found.filled.add(chunk.filled)
        elif isinstance(chunk, RetractionChunk):
            for line, id_ in chunk.frame.select("line", "event_id").iter_rows():
                refused[line] = Verdict(REJECTED, id_, "retracted", NO_WITHDRAWALS)
                found.rejected.append(Rejection(SOURCE, line, "retracted", NO_WITHDRAWALS, {}, "events"))
    return replace(found, events=pl.concat(frames)) if frames else found


@dataclass
class CheckedDescriptions:
    """Descriptions of one sender, checked.

    Attributes:
        kind: What they describe.
        rows: What is said, each thing once.
        repeats: Good rows that another one stands for.
        refused: Rows that cannot be used.
        filled: How many rows have a value in each column.
    """

    kind: Kind
    rows: list[Description] = field(default_factory=list)
    repeats: int = 0
    refused: list[Rejection] = field(default_factory=list)
    filled: Filled = field(default_factory=Filled)


def check_descriptions_of(kind: Kind, rows: Sequence[Any]) -> CheckedDescriptions:
    """Check descriptions in the generic columns, as a load does.

    Args:
        kind: users | items | content.
        rows: One mapping each.
    """
    found = CheckedDescriptions(kind)
    for chunk in read_checked(list(rows), find_loader("generic"), kind, Mapping.parse([]), Vocabulary()):
        if isinstance(chunk, DescriptionChunk):
            found.rows += chunk.rows
            found.repeats += chunk.repeats
            if chunk.filled is not None:
                found.filled.add(chunk.filled)
        found.refused += chunk.rejected
    return found


@dataclass
class Written:
    """What became of the rows of several senders.

    Attributes:
        verdicts: Of each sender's rows, in order.
        users: Whose events were taken in.
        objects: Kind and id of what those are about.
    """

    verdicts: list[list[Verdict]]
    users: list[str]
    objects: list[tuple[str, str]]


@dataclass
class LiveBatch:
    """Writes events of many senders; used by one thread at a time.

    Attributes:
        store: The graph, its schema in place.
        vocabulary: The rules in use.
    """

    store: Store
    vocabulary: Vocabulary
    _ledger: Ledger | None = None
    _writer: EventWriter | None = None
    _begun: float = 0.0
    _parts: int = field(default=0)
    _posted: Posted = field(init=False)

    def __post_init__(self) -> None:
        self._posted = Posted(self.vocabulary.name_of)

    @property
    def id(self) -> str | None:
        """Of the batch that is open."""
        return self._ledger.batch if self._ledger else None

    def write(self, posts: Sequence[Checked], *, dry_run: bool = False) -> Written:
        """Write the events of several senders together, the earlier sender's first.

        Args:
            posts: What each sent.
            dry_run: Look up and write nothing.

        Raises:
            EngineError: The engine failed; what was committed stays, and sent again it is a duplicate.
        """
        frames, offset = [], 0
        for post in posts:
            frames.append(post.events.with_columns(pl.col("line") + offset))
            offset += post.rows
        events = pl.concat(frames)
        counts = self._write(events, dry_run) if events.height else Counts()
        if not dry_run:
            for post in posts:
                self._posted.add(post.rows, post.events, post.filled, post.rejected)
            self._posted.refuse(counts.rejected)
        said = {
            rejection.line: Verdict(
                CONFLICT if counts.outcomes.get(rejection.line) == CONFLICT else REJECTED,
                None,
                rejection.field,
                rejection.reason,
            )
            for rejection in counts.rejected
        }
        verdicts, offset = [], 0
        for post in posts:
            verdicts.append(list(_verdicts(post, offset, counts.outcomes, said)))
            offset += post.rows
        taken = [line for line, outcome in counts.outcomes.items() if outcome in (ACCEPTED, LATE)]
        applied = events.filter(pl.col("line").is_in(taken))
        pairs = applied.select("object_kind", "object_id").unique().sort("object_kind", "object_id")
        return Written(verdicts, applied["user_id"].unique().sort().to_list(), list(pairs.iter_rows()))

    def _write(self, events: pl.DataFrame, dry_run: bool) -> Counts:
        newest = watermark(self.store)
        if dry_run:
            names = self.vocabulary.name_of
            return EventWriter(self.store, None, names, newest, by_line=True).write(_chunk(events), "dry")
        if self._ledger is not None and time.monotonic() - self._begun > LONGEST_SECONDS:
            self.close()
        return self._in_our_batch(lambda: self._into(newest, events))

    def describe(self, checked: CheckedDescriptions) -> Counts:
        """Fold descriptions into the graph; ``rejected`` of the counts are those the graph refused.

        Raises:
            EngineError: The engine failed; what was committed stays, and sent again it says nothing new.
        """
        chunk = DescriptionChunk(checked.kind, checked.rows, [], len(checked.rows), SOURCE)

        def write() -> Counts:
            ledger, _ = self._open(None)
            return DescriptionWriter(self.store, ledger, self.vocabulary.types).write(chunk, self._part())

        counts = self._in_our_batch(write)
        self._posted.describe(checked.kind, checked.rows, checked.repeats, checked.filled, checked.refused)
        self._posted.refuse(counts.rejected)
        return counts

    def _in_our_batch(self, write: Callable[[], Counts]) -> Counts:
        try:
            return write()
        except BatchTakenOver:
            # Silent for so long that another service took the batch over: begin another one.
            self._ledger = self._writer = None
            self._posted = Posted(self.vocabulary.name_of)
            return write()

    def _into(self, newest: int | None, events: pl.DataFrame) -> Counts:
        _, writer = self._open(newest)
        writer.watermark = newest
        return writer.write(_chunk(events), self._part())

    def _part(self) -> str:
        """A name that does not meet those of a process that had the batch before."""
        self._parts += 1
        return f"{time.time_ns():x}.{self._parts:06d}"

    def _open(self, newest: int | None) -> tuple[Ledger, EventWriter]:
        if self._ledger is None or self._writer is None:
            self._ledger = Ledger.open(
                self.store,
                new_batch_id(),
                {
                    "source": SOURCE,
                    "loader": "generic",
                    "kind": "events",
                    "vocabulary": self.vocabulary.fingerprint(),
                    "command": COMMAND,
                    "sources": [],
                    "way": way_of(Recipe(SOURCE)),
                },
                lanes=self.store.writers,
            )
            self._writer = EventWriter(
                self.store, self._ledger, self.vocabulary.name_of, newest, by_line=True
            )
            self._begun = time.monotonic()
            self._posted.begin(self._ledger.watermark)
        return self._ledger, self._writer

    def close(self) -> None:
        """End the batch.

        Raises:
            EngineError: The engine failed; the next service ends the batch.
        """
        ledger, self._ledger, self._writer = self._ledger, None, None
        if ledger is not None:
            posted, self._posted = self._posted, Posted(self.vocabulary.name_of)
            try:
                # What a service that was killed had looked at is not known: of a part there is no record.
                known = {} if ledger.resumed else {"quality": posted.record(ledger).packed()}
                ledger.close("done", **known)
            finally:
                ledger.leave()


def _chunk(events: pl.DataFrame) -> EventChunk:
    return EventChunk(frame=events, rejected=[], read=events.height, source=SOURCE)


def _verdicts(
    post: Checked, offset: int, outcomes: dict[int, str], said: dict[int, Verdict]
) -> list[Verdict]:
    ids = dict(post.events.select("line", "event_id").iter_rows())
    found = []
    for line in range(1, post.rows + 1):
        verdict = post.refused.get(line)
        if verdict is None:
            told = said.get(line + offset)
            verdict = (
                replace(told, event_id=ids.get(line))
                if told is not None
                else Verdict(outcomes.get(line + offset, REJECTED), ids.get(line))
            )
        found.append(verdict)
    return found
