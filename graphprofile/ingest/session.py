"""One incremental batch: sources through a loader, checked, written, counted, the bad rows kept."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from graphprofile.errors import GraphProfileError
from graphprofile.ingest.apply import Counts, EventWriter
from graphprofile.ingest.describe import DescriptionWriter
from graphprofile.ingest.loaders import find_loader
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.quarantine import (
    Origin,
    QuarantinedRow,
    QuarantineWriter,
    finish_retry,
    read_quarantine,
    refusal_key,
    refused_before,
    rows_by_origin,
)
from graphprofile.ingest.read import expand_paths, read_checked
from graphprofile.ingest.times import TimeUnit
from graphprofile.reading import watermark
from graphprofile.records import DescriptionChunk, EventChunk, Kind, LoadResult, Progress, Rejection
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.store import Store

Checked: TypeAlias = tuple[Origin, EventChunk | DescriptionChunk]


@dataclass(frozen=True)
class Batch:
    """Where a batch's rows come from, and how they are read.

    Attributes:
        source: File names, for people.
        loader: Name of the loader.
        kind: What the rows describe, or "any".
        id: Of the batch, see :func:`new_batch_id`.
        mapping: The ``field=column`` texts.
        time_zone: Zone of times without one, or None.
        time_unit: Unit of times that are numbers, or None.
    """

    source: str
    loader: str
    kind: str
    id: str
    mapping: tuple[str, ...] = ()
    time_zone: str | None = None
    time_unit: TimeUnit | None = None


def new_batch_id() -> str:
    """An id that sorts by time: ``20260131T235959-1a2b3c``."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def checked_chunks(
    sources: Sequence[Any],
    vocabulary: Vocabulary,
    *,
    loader: str = "generic",
    kind: Kind | None = None,
    mapping: Sequence[str] = (),
    time_zone: str | None = None,
    time_unit: TimeUnit | None = None,
) -> Iterator[Checked]:
    """All rows of all sources, checked; descriptions before events, which saves work and changes nothing.

    Args:
        sources: Paths, globs, folders, frames or iterables of dicts.
        vocabulary: The rules in use.
        loader: Name of the loader.
        kind: What rows describe; None is told by loader and columns.
        mapping: ``field=column`` texts.
        time_zone: Zone of times without one.
        time_unit: Unit of times that are numbers.

    Raises:
        SourceError: A source cannot be found or read.
        UsageError: No such loader, or a wrong mapping.
    """
    reader = find_loader(loader)
    columns = Mapping.parse(list(mapping))
    named = [source for source in sources if isinstance(source, str | Path)]
    files = reader.sources(expand_paths(named), kind) if named else []
    ordered: list[Any] = [f for f in files if f.kind != "events"] + [f for f in files if f.kind == "events"]
    ordered += [source for source in sources if not isinstance(source, str | Path)]
    for source in ordered:
        chunks = read_checked(
            source, reader, kind, columns, vocabulary, time_zone=time_zone, time_unit=time_unit
        )
        for chunk in chunks:
            yield Origin(chunk.kind, loader, tuple(mapping), time_zone, time_unit), chunk


def run_batch(
    store: Store,
    vocabulary: Vocabulary,
    checked: Iterator[Checked],
    batch: Batch,
    refuse: Callable[[Sequence[Rejection], Origin], None],
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> LoadResult:
    """Write checked chunks as one batch, its record raised in the same transactions as its data.

    Args:
        store: The graph, its schema in place.
        vocabulary: The rules in use.
        checked: Checked rows with how they were read, in any order.
        batch: Where they come from.
        refuse: Takes rejected rows and conflicts.
        dry_run: Check and look up, write nothing to the graph.
        progress: Called with (source, bytes or rows read, their total or None).

    Raises:
        SourceError: A source cannot be read (any further).
        EngineError: The engine failed; what was committed stays, the same command again goes on.
    """
    started = time.perf_counter()
    # Nothing is written before the first source has proved to be readable.
    first = list(itertools.islice(checked, 1))
    if not dry_run:
        _start(store, vocabulary, batch)
    total = Counts()
    events = EventWriter(store, batch.id, vocabulary.name_of, watermark(store), dry_run)
    descriptions = DescriptionWriter(store, batch.id, vocabulary.types, dry_run)

    def done(origin: Origin, chunk: EventChunk | DescriptionChunk, counts: Counts) -> None:
        refuse([*chunk.rejected, *counts.rejected], origin)
        total.add(counts)
        if progress:
            progress(Path(chunk.source).name, chunk.position, chunk.size)

    try:
        # While one chunk is written, the next is read and checked.
        with _Behind() as behind:
            for origin, chunk in itertools.chain(first, checked):
                write = events.write if isinstance(chunk, EventChunk) else descriptions.write
                behind.start(partial(write, chunk), partial(done, origin, chunk))  # type: ignore[arg-type]
            behind.finish()
    except GraphProfileError:
        if not dry_run:
            _finish(store, batch.id, "failed")
        raise
    if not dry_run:
        _finish(store, batch.id, "done")
    seconds = time.perf_counter() - started
    return LoadResult(
        batch=batch.id,
        read=total.read,
        applied=total.applied,
        duplicates=total.duplicates,
        conflicts=total.conflicts,
        quarantined=total.quarantined,
        late=total.late,
        quarantine_file=None,
        seconds=round(seconds, 3),
        events_per_second=round(total.read / seconds, 1) if seconds else 0.0,
        dry_run=dry_run,
    )


class _Behind:
    """Runs one piece of work in a thread while the next is prepared; results come back in order."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="graphprofile-write")
        self._pending: tuple[Future[Counts], Callable[[Counts], None]] | None = None

    def start(self, work: Callable[[], Counts], done: Callable[[Counts], None]) -> None:
        """Wait for the work before, then start this; ``done`` gets its result in the caller's thread."""
        self.finish()
        self._pending = self._pool.submit(work), done

    def finish(self) -> None:
        """Wait for the work under way; raises what it raised."""
        if self._pending is not None:
            (future, done), self._pending = self._pending, None
            done(future.result())

    def __enter__(self) -> _Behind:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is not None:
                # What was read before the failure is written, and its refused rows are kept.
                with suppress(GraphProfileError):
                    self.finish()
        finally:
            self._pool.shutdown(wait=True)


def load_batch(
    store: Store,
    vocabulary: Vocabulary,
    checked: Iterator[Checked],
    batch: Batch,
    *,
    data_dir: Path,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> LoadResult:
    """As :func:`run_batch`; refused rows go to the batch's quarantine file below ``data_dir``.

    ``quarantine_file`` is that file, or the one of an earlier batch where all refused rows lie there already.
    """
    if dry_run:
        return run_batch(store, vocabulary, checked, batch, lambda *_: None, dry_run=True, progress=progress)
    with QuarantineWriter(
        data_dir,
        batch.id,
        loader=batch.loader,
        mapping=batch.mapping,
        time_zone=batch.time_zone,
        time_unit=batch.time_unit,
    ) as quarantine:
        before: dict[bytes, Path] | None = None
        lies_in: list[Path] = []

        def refuse(rejected: Sequence[Rejection], _: Origin) -> None:
            # A file sent again has the same bad rows: they lie in quarantine once.
            nonlocal before
            if not rejected:
                return
            if before is None:
                before = refused_before(data_dir)
            known = [before.get(refusal_key(rejection)) for rejection in rejected]
            lies_in.extend(path for path in known[:1] if path is not None)
            quarantine.add([r for r, path in zip(rejected, known, strict=True) if path is None])

        result = run_batch(store, vocabulary, checked, batch, refuse, progress=progress)
        path = quarantine.close() or (lies_in[0] if lies_in else None)
    return result.model_copy(update={"quarantine_file": None if path is None else str(path)})


def retry_file(
    store: Store, vocabulary: Vocabulary, path: Path, *, progress: Progress | None = None
) -> LoadResult:
    """Load the rows of a quarantine file again; those still refused stay in it with their new reasons.

    Raises:
        SourceError: The file is not what the quarantine writes.
    """
    left: list[tuple[Rejection, Origin]] = []
    groups = rows_by_origin(read_quarantine(path))
    readable: dict[Origin, list[QuarantinedRow]] = {}
    for origin, rows in groups.items():
        readable[origin] = [row for row in rows if row.columns is not None]
        left += [(row.rejection, origin) for row in rows if row.columns is None]

    def again() -> Iterator[Checked]:
        for origin, rows in readable.items():
            for _, chunk in checked_chunks(
                [[row.columns for row in rows]] if rows else [],
                vocabulary,
                loader=origin.loader,
                kind=origin.kind,
                mapping=origin.mapping,
                time_zone=origin.time_zone,
                time_unit=origin.time_unit,
            ):
                yield origin, chunk

    def refuse(rejected: Sequence[Rejection], origin: Origin) -> None:
        for rejection in rejected:
            was = readable[origin][rejection.line - 1].rejection
            left.append((replace(was, field=rejection.field, reason=rejection.reason), origin))

    unreadable = len(left)
    batch = Batch(f"quarantine {path.stem}", "quarantine", "any", new_batch_id())
    result = run_batch(store, vocabulary, again(), batch, refuse, progress=progress)
    kept = finish_retry(path, left)
    return result.model_copy(
        update={
            "read": result.read + unreadable,
            "quarantined": result.quarantined + unreadable,
            "quarantine_file": str(kept) if left else None,
        }
    )


def describe_sources(sources: Sequence[object]) -> str:
    """A short text for the batch record: file names, or what was handed over."""
    names = [Path(s).name if isinstance(s, str | Path) else f"<{type(s).__name__}>" for s in sources]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _start(store: Store, vocabulary: Vocabulary, batch: Batch) -> None:
    properties: dict[str, Any] = {
        "source": batch.source,
        "loader": batch.loader,
        "kind": batch.kind,
        "state": "running",
        "started_at": _now(),
        "vocabulary": vocabulary.fingerprint(),
        **dict.fromkeys(("read", "applied", "duplicates", "conflicts", "quarantined", "late"), 0),
    }
    store.write(lambda tx: tx.run("load/start_batch", id=batch.id, properties=properties))


def _finish(store: Store, batch_id: str, state: str) -> None:
    store.write(lambda tx: tx.run("load/finish_batch", id=batch_id, state=state, finished_at=_now()))


def _now() -> int:
    return int(time.time() * 1000)
