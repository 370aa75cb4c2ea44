"""One incremental batch: sources through a loader, checked, written, counted, the bad rows kept."""

from __future__ import annotations

import itertools
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from graphprofile.errors import BatchTakenOver, EngineUnavailable, GraphProfileError
from graphprofile.ingest.apply import EventWriter, OnConflict
from graphprofile.ingest.behind import Behind
from graphprofile.ingest.claims import pack
from graphprofile.ingest.counts import SUMMED, Counts
from graphprofile.ingest.describe import DescriptionWriter
from graphprofile.ingest.ledger import Ledger, left_behind
from graphprofile.ingest.lots import Lots
from graphprofile.ingest.planned import checked_chunks, describe_sources, file_keys, plan_sources
from graphprofile.ingest.quality.compare import read_earlier, way_of
from graphprofile.ingest.quality.gather import Gatherer, outcomes_of
from graphprofile.ingest.quality.judge import judge, require
from graphprofile.ingest.quality.rehearse import Repeats, require_twice
from graphprofile.ingest.quality.thresholds import FailOn, Thresholds, thresholds_of
from graphprofile.ingest.quarantine import (
    Origin,
    QuarantineWriter,
)
from graphprofile.ingest.read import CHECK_ROWS
from graphprofile.ingest.reasons import Reasons
from graphprofile.ingest.recipes import (
    PLAIN,
    Recipe,
    keep_rules,
)
from graphprofile.ingest.refusals import Refusals
from graphprofile.ingest.retract import RetractionWriter
from graphprofile.ingest.seen import command_key, seen_whole
from graphprofile.ingest.stretches import Checked, stretched
from graphprofile.logs import log
from graphprofile.memory import give_back_memory
from graphprofile.reading import watermark
from graphprofile.records import (
    Chunk,
    DescriptionChunk,
    EventChunk,
    LoadResult,
    Progress,
    Rejection,
    RetractionChunk,
    ThresholdResult,
)
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.store import Store

Refuse: TypeAlias = Callable[[Sequence[Rejection], Origin], None]


@dataclass(frozen=True)
class Batch:
    """What is to be written as one batch.

    Attributes:
        source: File names, for people.
        id: Of a new batch, see :func:`new_batch_id`.
        recipe: How its rows are read.
        on_conflict: Which version of an event stands: ``keep`` or ``replace``.
        files: Keys of its sources, in order; None for what is no file. See :class:`FileKeys`.
        unsent: Rows of the files among them that an earlier batch has taken in whole.
        thresholds: What the batch must meet; judged where nothing is written.
    """

    source: str
    id: str
    recipe: Recipe = PLAIN
    on_conflict: OnConflict = "keep"
    files: tuple[str | None, ...] = ()
    unsent: dict[str, int] = field(default_factory=dict)
    thresholds: Thresholds | None = None

    @property
    def way(self) -> str:
        """What tells the sort of source, see :func:`graphprofile.ingest.quality.compare.way_of`."""
        return way_of(self.recipe)


def new_batch_id() -> str:
    """An id that sorts by time: ``20260131T235959-1a2b3c``."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def run_batch(
    store: Store,
    vocabulary: Vocabulary,
    checked: Iterator[Checked],
    batch: Batch,
    refuse: Refuse,
    *,
    ledger: Ledger | None,
    replaced: Callable[[Sequence[Rejection]], None] = lambda _: None,
    data_dir: Path | None = None,
    progress: Progress | None = None,
) -> LoadResult:
    """Write checked chunks as one batch, its record raised in the same transactions as its data.

    Args:
        store: The graph, its schema in place.
        vocabulary: The rules in use.
        checked: Checked rows with how they were read, in any order.
        batch: What they are.
        refuse: Takes rejected rows and conflicts.
        ledger: Record of the batch, begun; None checks and looks up, and writes nothing.
        replaced: Takes reports of replaced events.
        data_dir: Where the rows of long stretches lie until they are written; None holds short ones in memory.
        progress: Called with (source, bytes or rows read, their total or None).

    Raises:
        SourceError: A source cannot be read (any further).
        EngineError: The engine failed; what was committed stays, the same command again goes on.
    """
    started = time.perf_counter()
    if ledger is not None:
        log.info("batch_started", batch=ledger.batch, source=batch.source, resumed=ledger.resumed)
    total = Counts()
    newest = watermark(store) if ledger is None else ledger.watermark
    events = EventWriter(store, ledger, vocabulary.name_of, newest, batch.on_conflict, replaced=replaced)
    quality = Gatherer(newest, vocabulary.name_of)
    outcomes: dict[str, Counts] = {}
    repeats = Repeats(batch.on_conflict == "replace") if ledger is None else None
    descriptions = DescriptionWriter(store, ledger, vocabulary.types)
    retractions = RetractionWriter(store, ledger)
    begun: Counter[int] = Counter()
    rows: Counter[int] = Counter()
    positions: Counter[int] = Counter()
    flawed: set[int] = set()
    skipped: Counter[str] = Counter()
    cleaned: Counter[str] = Counter()
    reasons = Reasons()

    def looked_at(chunks: Iterator[Checked]) -> Iterator[Checked]:
        for origin, chunk in chunks:
            quality.add(chunk)
            yield origin, chunk

    def done(origin: Origin, chunk: Chunk, counts: Counts) -> None:
        rejected = [*chunk.rejected, *counts.rejected]
        if rejected:
            flawed.add(chunk.source_number)
        rows[chunk.source_number] += chunk.read
        if not isinstance(chunk, RetractionChunk):
            skipped.update(chunk.skipped)
            cleaned.update(chunk.cleaned)
        refuse(rejected, origin)
        reasons.add(rejected)
        quality.refuse(counts.rejected)
        counts.rejected = []
        outcomes.setdefault(chunk.kind, Counts()).add(counts)
        total.add(counts)
        log.debug(
            "stretch_written",
            batch=batch.id if ledger is None else ledger.batch,
            source=chunk.source,
            position=chunk.position,
            size=chunk.size,
            **{name: getattr(counts, name) for name in SUMMED},
        )
        give_back_memory()
        if progress:
            progress(Path(chunk.source).name, chunk.position, chunk.size)

    def write(chunk: Chunk, lots: Lots | None, name: str) -> Counts:
        if isinstance(chunk, EventChunk):
            before = positions[chunk.source_number]
            positions[chunk.source_number] = chunk.position

            def reached(share: float) -> None:
                if progress:
                    position = before + int(share * (chunk.position - before))
                    progress(Path(chunk.source).name, position, chunk.size)

            if repeats is None:
                return events.write(chunk, name, reached, lots)
            first, counts = repeats.apart(chunk)
            counts.add(events.write(first, name, reached))
            return counts
        if isinstance(chunk, DescriptionChunk):
            return descriptions.write(chunk, name)
        return retractions.write(chunk, name)

    places = None if ledger is None or data_dir is None else partial(Lots, data_dir, ledger.lanes)
    try:
        # While one chunk is written, the next is read and checked.
        with Behind() as behind:
            for origin, chunk, lots in stretched(looked_at(checked), places):
                number = chunk.source_number
                # By what it holds: whatever made a stretch shorter once, its rows are not taken for another's.
                name = f"{number:04d}.{begun[number]:010d}-{chunk.read}"
                begun[number] += chunk.read
                behind.start(partial(write, chunk, lots, name), partial(done, origin, chunk))
            behind.finish()
    except (BatchTakenOver, EngineUnavailable):
        # Nothing can be written down now; the next process finds that this one is gone.
        raise
    except BaseException as error:
        if ledger is not None:
            log.error("batch_broke_off", batch=ledger.batch, error=str(error) or type(error).__name__)
            with suppress(GraphProfileError):
                ledger.close("failed")
        raise
    finally:
        if ledger is not None:
            ledger.leave()
    unsent = sum(batch.unsent[key] for key in batch.files if key in batch.unsent)
    tied = sum(counts.tied for counts in outcomes.values())
    if ledger is not None:
        outcomes = outcomes_of(ledger.outcomes())
    record = quality.record(outcomes, unsent)
    if ledger is not None:
        whole = {
            key: batch.unsent.get(key, rows[number])
            for number, key in enumerate(batch.files)
            if key is not None and number not in flawed
        }
        total = ledger.close(
            "done",
            files=list(whole),
            file_rows=list(whole.values()),
            unsent_files=list(batch.unsent),
            quality=record.packed(),
        )
    seconds = time.perf_counter() - started
    read = total.read + unsent
    judged: list[ThresholdResult] = []
    if ledger is None and batch.thresholds is not None:
        earlier = [one.record for one in read_earlier(store, batch.way)]
        judged = judge(batch.thresholds, record, earlier)
    return LoadResult(
        batch=batch.id if ledger is None else ledger.batch,
        read=read,
        applied=total.applied,
        duplicates=total.duplicates + unsent,
        conflicts=total.conflicts,
        quarantined=total.quarantined,
        late=total.late,
        replaced=total.replaced,
        unsent=unsent,
        resumed=ledger is not None and ledger.resumed,
        skipped=dict(sorted(skipped.items())),
        cleaned=dict(sorted(cleaned.items())),
        quarantine_file=None,
        seconds=round(seconds, 3),
        events_per_second=round(read / seconds, 1) if seconds else 0.0,
        dry_run=ledger is None,
        thresholds=judged,
        reasons=reasons.most_common(),
        tied=tied,
    )


def finished(result: LoadResult, **more: Any) -> LoadResult:
    """The result with what is known of it at the end, told to the log."""
    whole = result.model_copy(update=more)
    log.info("batch_finished", **whole.to_json())
    return whole


def load_batch(
    store: Store,
    vocabulary: Vocabulary,
    sources: Sequence[Any],
    recipe: Recipe,
    *,
    data_dir: Path,
    on_conflict: OnConflict = "keep",
    resend: bool = False,
    fail_on: FailOn = (),
    dry_run: bool = False,
    progress: Progress | None = None,
) -> LoadResult:
    """Load sources as one batch; refused rows go to the batch's quarantine file below ``data_dir``.

    The same command again goes on with a batch that was left behind, and sends no row of a file that a batch has
    taken in whole.

    Args:
        store: The graph, its schema in place.
        vocabulary: The rules in use.
        sources: Paths, globs, folders, frames, queries or iterables of dicts.
        recipe: How they are read.
        data_dir: Where the quarantine lies.
        on_conflict: Which version of an event stands: ``keep`` or ``replace``.
        resend: Send rows of files seen whole too.
        fail_on: Thresholds beside those of the mapping file: where any holds, all is read and checked once before
            anything is written. A batch that is gone on with was judged when it began.
        dry_run: Check and look up, write nothing.
        progress: Called with (source, bytes or rows read, their total or None).

    Returns:
        The counts; ``quarantine_file`` is the batch's, or the one of an earlier batch where all refused rows lie
        there already.

    Raises:
        BatchRefused: A threshold is not met; nothing was written.
    """
    thresholds = thresholds_of(None if recipe.rules is None else recipe.rules.quality, fail_on)
    planned = plan_sources(sources, recipe)
    if thresholds is not None:
        require_twice(planned)
    files = file_keys(planned, recipe, vocabulary)
    # A file that is to replace what is stored is sent, whoever has seen it.
    unsent = {} if resend or on_conflict == "replace" else seen_whole(store, files)
    batch = Batch(describe_sources(sources), new_batch_id(), recipe, on_conflict, files, unsent, thresholds)
    leave_out = frozenset(number for number, key in enumerate(files) if key in unsent)
    read = partial(
        checked_chunks,
        planned,
        vocabulary,
        recipe,
        chunk_rows=CHECK_ROWS,
        leave_out=leave_out,
    )
    command = command_key(files, on_conflict)
    judged: list[ThresholdResult] = []
    if thresholds is not None and not dry_run and not left_behind(store, command):
        judged = run_batch(
            store, vocabulary, read(), batch, lambda *_: None, ledger=None, progress=_checking(progress)
        ).thresholds
        require(judged)
    checked = read()
    # Nothing is written before the first source has proved to be readable.
    first = list(itertools.islice(checked, 1))
    checked = itertools.chain(first, checked)
    if dry_run:
        return run_batch(store, vocabulary, checked, batch, lambda *_: None, ledger=None, progress=progress)
    keep_rules(recipe, data_dir)
    ledger = Ledger.open(
        store,
        batch.id,
        {
            "source": batch.source,
            "loader": recipe.loader,
            "kind": recipe.kind or "any",
            "vocabulary": vocabulary.fingerprint(),
            "command": command,
            "sources": [key or "" for key in files],
            "way": batch.way,
            **({"verdict": pack({"thresholds": [one.to_json() for one in judged]})} if judged else {}),
        },
        lanes=store.writers,
    )
    with (
        Refusals(_refusals(data_dir, ledger.batch, recipe), data_dir) as refusals,
        _replacements(data_dir, ledger.batch, recipe) as replacements,
    ):
        result = run_batch(
            store,
            vocabulary,
            checked,
            batch,
            lambda rejected, _: refusals.add(rejected),
            ledger=ledger,
            replaced=replacements.add,
            data_dir=data_dir,
            progress=progress,
        )
        path = refusals.close()
        other = replacements.close()
    return finished(
        result,
        thresholds=judged,
        quarantine_file=None if path is None else str(path),
        replaced_file=None if other is None else str(other),
    )


def _checking(progress: Progress | None) -> Progress | None:
    """Progress of the pass that only looks."""
    if progress is None:
        return None
    return lambda what, done, total: progress(f"checking {what}", done, total)


def _refusals(data_dir: Path, batch: str, recipe: Recipe, suffix: str = "") -> QuarantineWriter:
    return QuarantineWriter(
        data_dir,
        batch,
        loader=recipe.loader,
        mapping=recipe.mapping,
        time_zone=recipe.time_zone,
        time_unit=recipe.time_unit,
        suffix=suffix or ".jsonl",
    )


def _replacements(data_dir: Path, batch: str, recipe: Recipe) -> QuarantineWriter:
    """Replaced events with both versions: kept beside the quarantine, but nothing to be tried again."""
    return _refusals(data_dir, batch, recipe, ".replaced")
