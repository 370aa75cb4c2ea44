"""Checked rows as an engine's import files: exactly once, folded, with the batch's records; in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from graphprofile.ingest.bulk.collect import Collected, Collector, Refuse
from graphprofile.ingest.bulk.nodes import NodeWriter, hierarchy
from graphprofile.ingest.bulk.parts import Ledger, Part
from graphprofile.ingest.bulk.settle import fresh_events, judge
from graphprofile.ingest.bulk.shapes import Sink, by_properties, frames
from graphprofile.ingest.bulk.sift import Sifter, nodes_of
from graphprofile.ingest.bulk.spill import Spread
from graphprofile.ingest.counts import Counts
from graphprofile.ingest.ledger import now_ms
from graphprofile.ingest.quality.gather import Gatherer
from graphprofile.ingest.quality.record import Record
from graphprofile.records import OBJECT_LABELS, Chunk, Progress
from graphprofile.vocabulary import Vocabulary

PARTS_AT_ONCE = 50


@dataclass(frozen=True)
class Bulk:
    """A bulk load: its batch and the rules in use.

    Attributes:
        batch: Id of the batch.
        properties: Of the batch record, without its counts.
        vocabulary: The rules in use.
        files: Keys of the sources by their numbers, None for what is no file.
    """

    batch: str
    properties: Mapping[str, Any]
    vocabulary: Vocabulary
    files: Sequence[str | None] = ()


@dataclass(frozen=True)
class Prepared:
    """What became of the rows.

    ``skipped``: reason -> rows that the loader left out on purpose. ``cleaned``: rule -> values that it changed.
    ``quality``: what the rows looked like.
    """

    counts: Counts
    skipped: dict[str, int]
    cleaned: dict[str, int]
    quality: Record


def prepare(
    chunks: Iterable[Chunk],
    bulk: Bulk,
    sink: Sink,
    folder: Path,
    refuse: Refuse,
    progress: Progress | None = None,
) -> Prepared:
    """Write everything but the store's own record into the sink.

    Args:
        chunks: Checked rows, in the order of the sources.
        bulk: What is loaded.
        sink: Takes nodes and relationships.
        folder: For what lies on disk between two passes; empty.
        refuse: Takes refused rows.
        progress: Called with (what, done, total or None).

    Raises:
        SourceError: A source cannot be read (any further).
    """
    quality = Gatherer(None, bulk.vocabulary.name_of)
    with Collector(folder, refuse) as collector:
        for chunk in chunks:
            quality.add(chunk)
            collector.add(chunk)
            if progress:
                progress(Path(chunk.source).name, chunk.position, chunk.size)
        collected = collector.finish()
    ledger = Ledger(bulk.batch, collected.sources, now_ms(), collected.claims)
    verdicts = judge(bulk.batch, collected, folder, sink)
    named = Spread(folder, "named", "id")
    with ThreadPoolExecutor(1, thread_name_prefix="graphprofile-events") as pool:
        sifter = Sifter(bulk.batch, bulk.vocabulary.name_of, refuse, sink)
        pending: Future[None] | None = None
        for fresh, withdrawn, parts in sifter.sift(collected, verdicts):
            if pending is not None:
                pending.result()
            pending = pool.submit(_hand_over, sink, bulk.batch, fresh, withdrawn, named)
            _note(sink, ledger, parts, collected)
        if pending is not None:
            pending.result()
    writer = NodeWriter(bulk.batch, folder, sink)
    writer.write(collected, named)
    _note(sink, ledger, collected.described, collected)
    _note(sink, ledger, collected.withdrawals, collected)
    alone = [Part(source, collected.names(source), kind) for source, kind in collected.refused]
    _note(sink, ledger, alone, collected)
    collected.claims.close()
    for label, links in writer.links():
        sink.links("HAS_TAG", (label, "Tag"), links)
    sink.links("PART_OF", ("Tag", "Tag"), hierarchy(collected))
    record = quality.record(ledger.by_kind)
    _write_batch(sink, bulk, ledger.total, collected, record)
    if not sink.any_order:
        done = 0
        for fresh in fresh_events(collected, verdicts):
            write_events(sink, bulk.batch, fresh)
            done += fresh.height
            if progress:
                progress("preparing events", done, collected.events.rows)
    return Prepared(ledger.total, record.skipped, record.cleaned, record)


def _note(sink: Sink, ledger: Ledger, parts: Sequence[Part], collected: Collected) -> None:
    """Write parts; the first of a source and kind answers for its refused rows."""
    for start in range(0, len(parts), PARTS_AT_ONCE):
        some = parts[start : start + PARTS_AT_ONCE]
        for part in some:
            refused = collected.refused.pop((part.source, part.kind), 0)
            part.counts.read += refused
            part.counts.quarantined += refused
        frame = ledger.frame(some)
        sink.nodes("BatchPart", frame.insert_column(0, frame["id"].alias("#key")))


def _write_batch(sink: Sink, bulk: Bulk, total: Counts, collected: Collected, quality: Record) -> None:
    whole = {
        key: collected.rows[number]
        for number, key in enumerate(bulk.files)
        if key is not None and number not in collected.flawed
    }
    row = {
        "id": bulk.batch,
        **bulk.properties,
        **total.as_properties(),
        "state": "done",
        "sources": [key or "" for key in bulk.files],
        "files": list(whole),
        "file_rows": list(whole.values()),
        "quality": quality.packed(),
        "last_write_at": now_ms(),
        "finished_at": now_ms(),
    }
    # No column can be made for an empty list, nor need one.
    row = {name: value for name, value in row.items() if value is not None and value != []}
    for _, frame in frames([row]):
        sink.nodes("Batch", frame.insert_column(0, frame["id"].alias("#key")))


def _hand_over(sink: Sink, batch: str, fresh: pl.DataFrame, withdrawn: pl.DataFrame, named: Spread) -> None:
    """Beside the sifting of the next stretch: note who is named, and write the events where they may come first."""
    if fresh.height:
        named.add(nodes_of(fresh, actor=True))
    if withdrawn.height:
        named.add(nodes_of(withdrawn, actor=False))
    if sink.any_order:
        write_events(sink, batch, fresh)


def write_events(sink: Sink, batch: str, events: pl.DataFrame) -> None:
    """Hand checked events over, by type and kind of object."""
    for (type_, kind), rows in events.partition_by("type", "object_kind", as_dict=True).items():
        frame = rows.select(
            pl.col("user_id").alias("#from"),
            pl.col("object_id").alias("#to"),
            "event_id",
            "ts",
            "hash",
            pl.lit(batch).alias("batch"),
            "value",
            "ts_precision",
            pl.col("properties").alias("#json"),
        )
        for part in by_properties(frame):
            sink.links(str(type_), ("User", OBJECT_LABELS[str(kind)]), part)
