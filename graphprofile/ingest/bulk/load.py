"""A bulk load from its sources to the end: into the embedded store, or into files for Neo4j's importer."""

from __future__ import annotations

import itertools
import shlex
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock, Timeout

from graphprofile.errors import BatchRefused, StoreMismatch, UsageError
from graphprofile.ingest.bulk.arcadedb_files import ArcadeDBFiles
from graphprofile.ingest.bulk.importer import Importer, arguments
from graphprofile.ingest.bulk.neo4j_files import Neo4jFiles
from graphprofile.ingest.bulk.prepare import Bulk, Prepared, prepare
from graphprofile.ingest.bulk.shapes import Sink
from graphprofile.ingest.counts import SUMMED
from graphprofile.ingest.ledger import now_ms, this_writer
from graphprofile.ingest.planned import checked_chunks, file_keys
from graphprofile.ingest.quality.compare import way_of
from graphprofile.ingest.quality.judge import judge, require
from graphprofile.ingest.quality.thresholds import Thresholds
from graphprofile.ingest.quarantine import QuarantineWriter
from graphprofile.ingest.recipes import Recipe, keep_rules
from graphprofile.ingest.refusals import Refusals
from graphprofile.ingest.seen import command_key
from graphprofile.records import LoadResult, Progress
from graphprofile.settings import Settings
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary


@dataclass(frozen=True)
class Sources:
    """What is loaded.

    Attributes:
        planned: What to read, in order; see :func:`graphprofile.ingest.planned.plan_sources`.
        recipe: How rows are read.
        text: File names, for people.
        batch: Id of the batch.
        thresholds: What it must meet before it is handed to the engine.
    """

    planned: Sequence[Any]
    recipe: Recipe
    text: str
    batch: str
    thresholds: Thresholds | None = None


class ImportFiles(LoadResult):
    """Answer of ``load --bulk DIR``.

    Attributes:
        folder: Where the files are.
        imported: Whether the importer has run.
        next: Commands to run, in order.
    """

    folder: str
    imported: bool
    next: list[str]


def require_empty(store: Store, version: int) -> dict[str, Any] | None:
    """The store's own record, None where it has none.

    Raises:
        UsageError: The store holds anything, or others use it.
        StoreMismatch: Another version wrote it.
    """
    store.require_alone()
    found = store.read("schema/read_store")
    rules: dict[str, Any] | None = found[0]["properties"] if found else None
    if rules and rules.get("version", version) != version:
        raise StoreMismatch(
            f"The store has schema version {rules['version']}, this program works with {version}.",
            "Use the graphprofile version that wrote it.",
        )
    if not (rules and rules.get("unfinished")) and store.read("schema/count_content")[0]["nodes"]:
        raise UsageError(
            "The store is not empty: --bulk is for years of history into a new one.",
            "Load without --bulk, or set GRAPHPROFILE_DATA to a new folder.",
        )
    return rules


def load_embedded(
    store: Store,
    rules: Mapping[str, Any] | None,
    vocabulary: Vocabulary,
    sources: Sources,
    *,
    version: int,
    data_dir: Path,
    progress: Progress | None = None,
) -> LoadResult:
    """Bulk-load the embedded store; when it is broken off, the store says so and may be loaded anew.

    Args:
        store: Empty, see :func:`require_empty`.
        rules: Its own record so far.
        vocabulary: The rules in use.
        sources: What is loaded.
        version: Of the schema.
        data_dir: The project's data folder.
        progress: Called with (what, done, total or None).

    Raises:
        SourceError: A source cannot be read; nothing was written.
        EngineError: The engine failed.
    """
    started = time.perf_counter()
    record = store_record(vocabulary, version, (rules or {}).get("store_id"))
    with scratch_folder(data_dir) as scratch:
        files = scratch / "files"
        files.mkdir()
        sink = ArcadeDBFiles(files)
        total, quarantine = _prepare(sources, vocabulary, sink, scratch, data_dir, progress)
        sink.close()
        store.bulk_write(files.absolute(), record, lambda done, all_: _tell(progress, "writing", done, all_))
    _tell(progress, "constraints and indexes", 0, None)
    store.create_schema(vocabulary.types)
    store.bulk_finish()
    return LoadResult(**_document(sources, total, quarantine, started))


def write_files(
    settings: Settings,
    vocabulary: Vocabulary,
    sources: Sources,
    folder: Path,
    *,
    version: int,
    importer: Importer | None = None,
    progress: Progress | None = None,
) -> ImportFiles:
    """Write the files that ``neo4j-admin database import full`` takes, and run it where it is local.

    Args:
        settings: Data folder (for refused rows) and database; nothing is connected to.
        vocabulary: The rules in use.
        sources: What is loaded.
        folder: Where the files go; empty or not there yet.
        version: Of the schema.
        importer: Runs the import, None to leave that to others.
        progress: Called with (what, done, total or None).

    Raises:
        UsageError: The folder is not empty.
        SourceError: A source cannot be read; nothing is left in the folder.
        EngineError: The importer failed.
    """
    started = time.perf_counter()
    database = settings.database or "neo4j"
    if importer is not None:
        importer.check(database)
    with _empty_folder(folder):
        sink = Neo4jFiles(folder)
        with tempfile.TemporaryDirectory(prefix="passes-", dir=folder) as scratch:
            total, quarantine = _prepare(
                sources, vocabulary, sink, Path(scratch), settings.data_dir, progress
            )
        record = {
            "id": "graphprofile",
            **store_record(vocabulary, version, None),
            "unfinished": "constraints",
        }
        sink.nodes("Schema", pl.DataFrame([{"#key": "graphprofile", **record}]))
        sink.close()
    if importer is not None:
        _tell(progress, "neo4j-admin database import", 0, None)
        importer.run(folder, database)
    command = f"cd {shlex.quote(str(folder))} && neo4j-admin {' '.join(arguments(database))}"
    steps = [] if importer is not None else [command]
    steps += ["start the server", "graphprofile init --uri URI", "graphprofile tags --uri URI"]
    return ImportFiles(
        **_document(sources, total, quarantine, started),
        folder=str(folder),
        imported=importer is not None,
        next=steps,
    )


def store_record(vocabulary: Vocabulary, version: int, store_id: str | None) -> dict[str, Any]:
    """The store's own record, as ``init`` would write it."""
    return {"store_id": store_id or uuid.uuid4().hex, "version": version, "vocabulary": vocabulary.to_json()}


def _prepare(
    sources: Sources,
    vocabulary: Vocabulary,
    sink: Sink,
    scratch: Path,
    data_dir: Path,
    progress: Progress | None,
) -> tuple[Prepared, Path | None]:
    recipe = sources.recipe
    files = file_keys(sources.planned, recipe, vocabulary)
    checked = (chunk for _, chunk in checked_chunks(sources.planned, vocabulary, recipe))
    # Nothing is left behind where the first source proves to be unreadable.
    first = list(itertools.islice(checked, 1))
    passes = scratch / "passes"
    passes.mkdir()
    keep_rules(recipe, data_dir)
    properties = {
        "source": sources.text,
        "loader": recipe.loader,
        "kind": recipe.kind or "any",
        "vocabulary": vocabulary.fingerprint(),
        "command": command_key(files, "keep"),
        "writer": this_writer(),
        "started_at": now_ms(),
        "way": way_of(recipe),
    }
    bulk = Bulk(sources.batch, properties, vocabulary, files)
    writer = QuarantineWriter(
        data_dir,
        sources.batch,
        loader=recipe.loader,
        mapping=recipe.mapping,
        time_zone=recipe.time_zone,
        time_unit=recipe.time_unit,
    )
    with Refusals(writer, data_dir) as refusals:
        prepared = prepare(itertools.chain(first, checked), bulk, sink, passes, refusals.add, progress)
        quarantine = refusals.close()
    shutil.rmtree(passes)
    if sources.thresholds is not None:
        # All of it lies in files that nobody has seen yet, so no other pass is needed.
        try:
            require(judge(sources.thresholds, prepared.quality))
        except BatchRefused:
            refusals.forget()
            raise
    return prepared, quarantine


@contextmanager
def scratch_folder(data_dir: Path) -> Iterator[Path]:
    """A folder for what lies on disk meanwhile; what a killed bulk load left is taken away.

    Raises:
        UsageError: Another bulk load uses the data folder now.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = data_dir / "bulk"
    try:
        with FileLock(data_dir / "bulk.lock", mode=0o600, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except Timeout as error:
        raise UsageError(
            f"{data_dir}: another bulk load is at work here.",
            "Wait for it, or name another folder with --data.",
        ) from error


@contextmanager
def _empty_folder(folder: Path) -> Iterator[None]:
    """An empty folder to write into; what was written is taken away again after a failure."""
    there = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = next(folder.iterdir(), None)
    except OSError as error:
        raise UsageError(
            f"{folder}: is no folder to write into: {error.strerror}.", "Name another."
        ) from error
    if held is not None:
        raise UsageError(
            f"{folder}: is not empty ({held.name} lies there).", "Name a new folder, or empty this one."
        )
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        if there:
            folder.mkdir(exist_ok=True)
        raise


def _document(
    sources: Sources, prepared: Prepared, quarantine: Path | None, started: float
) -> dict[str, Any]:
    seconds = time.perf_counter() - started
    return {
        "batch": sources.batch,
        **{name: getattr(prepared.counts, name) for name in SUMMED},
        "skipped": prepared.skipped,
        "cleaned": prepared.cleaned,
        "thresholds": [] if sources.thresholds is None else judge(sources.thresholds, prepared.quality),
        "quarantine_file": None if quarantine is None else str(quarantine),
        "seconds": round(seconds, 3),
        "events_per_second": round(prepared.counts.read / seconds, 1) if seconds else 0.0,
    }


def _tell(progress: Progress | None, what: str, done: int, total: int | None) -> None:
    if progress:
        progress(what, done, total)
