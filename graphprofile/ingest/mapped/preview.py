"""A file looked at, a first mapping of it, and what it would make of the rows that were seen."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from graphprofile.errors import GraphProfileError
from graphprofile.ingest.mapped.absent import tell_absent
from graphprofile.ingest.mapped.check import check_rules, used_columns
from graphprofile.ingest.mapped.draft import draft
from graphprofile.ingest.mapped.guess import guess
from graphprofile.ingest.mapped.model import Rules
from graphprofile.ingest.mapped.reading import MappingLoader
from graphprofile.ingest.mapped.sample import take_sample
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.nested import reach
from graphprofile.ingest.read import read_checked, read_source
from graphprofile.ingest.reasons import Reasons
from graphprofile.records import EventChunk, RawChunk, RetractionChunk, iso
from graphprofile.vocabulary import Vocabulary

HEAD_ROWS = 10_000


@dataclass
class TablePreview:
    """What rows of the sample become.

    Attributes:
        kind: Events, users, items or content.
        rows: The first of them.
        good: How many can be used.
        refused: ``field: reason`` -> rows, most first.
        skipped: Reason -> rows left out on purpose.
        cleaned: Rule -> values changed.
        absent: Columns that the mapping names and no row has, each with the nearest one that is there.
    """

    kind: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    good: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    cleaned: dict[str, int] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)


@dataclass
class Draft:
    """Answer of ``map``.

    Attributes:
        text: The mapping file.
        unsure: What a person must look at.
        sampled: Rows looked at.
        tables: What they would become.
    """

    text: str
    unsure: list[str]
    sampled: int
    tables: list[TablePreview]


def draft_mapping(path: Path, vocabulary: Vocabulary, *, rows: int = 5) -> Draft:
    """Look at a file and write a first mapping of it.

    Args:
        path: CSV, TSV, JSON Lines or Parquet.
        vocabulary: Which events there are.
        rows: How many rows of each table to show.

    Raises:
        SourceError: The file cannot be read.
    """
    sample = take_sample(path)
    found = guess(sample, vocabulary)
    text = draft(sample, found)
    unsure = [*sample.notes, *found.unsure]
    rules = check_rules(tomllib.loads(text), "the first mapping", text)
    seen = RawChunk("events", str(path), sample.frame, range(1, sample.frame.height + 1))
    return Draft(text, unsure, sample.frame.height, preview(seen, rules, vocabulary, rows))


def preview_head(path: Path, rules: Rules, vocabulary: Vocabulary, rows: int = 5) -> list[TablePreview]:
    """What a mapping makes of the first rows of a file, read as a load would.

    Raises:
        SourceError: The file cannot be read.
    """
    chunks = read_source(MappingLoader(rules).sources([path], None)[0], chunk_rows=HEAD_ROWS)
    try:
        head = next(chunks)
    finally:
        chunks.close()
    return preview(head, rules, vocabulary, rows)


def preview(head: RawChunk, rules: Rules, vocabulary: Vocabulary, rows: int) -> list[TablePreview]:
    """What rows that were looked at become."""
    loader = MappingLoader(rules)
    tables = []
    for kind in reversed(loader.kinds(None)):
        table = TablePreview(kind)
        reasons = Reasons()
        named = used_columns(rules, kind, named=True) or set()
        lost = (
            [] if head.fixed_columns else [name for name in sorted(named) if reach(head.frame, name) is None]
        )
        table.absent = tell_absent(head, lost)
        try:
            for chunk in read_checked(head, loader, kind, Mapping(), vocabulary):
                reasons.add(chunk.rejected)
                if isinstance(chunk, RetractionChunk):
                    continue
                table.skipped = {
                    k: table.skipped.get(k, 0) + v for k, v in chunk.skipped.items()
                } | table.skipped
                table.cleaned = {
                    k: table.cleaned.get(k, 0) + v for k, v in chunk.cleaned.items()
                } | table.cleaned
                shown = (
                    _events(chunk, rows)
                    if isinstance(chunk, EventChunk)
                    else _descriptions(chunk.rows[:rows])
                )
                table.good += (
                    chunk.frame.height if isinstance(chunk, EventChunk) else len(chunk.rows) + chunk.repeats
                )
                table.rows += shown[: rows - len(table.rows)]
            found = reasons.most_common()[:8]
            table.refused = {f"{one.field}: {one.reason}": one.rows for one in found}
        except GraphProfileError as error:
            why = " ".join(filter(None, (f"file: {error.message}", error.hint)))
            table.refused = {why: head.frame.height}
        tables.append(table)
    return tables


def _events(chunk: EventChunk, rows: int) -> list[dict[str, Any]]:
    found = []
    for row in chunk.frame.head(rows).rows(named=True):
        properties = orjson.loads(row["properties"]) if row["properties"] else {}
        shown = {name: row[name] for name in ("user_id", "type", "object_id")}
        found.append({**shown, "timestamp": iso(row["ts"]), "value": row["value"], "properties": properties})
    return found


def _descriptions(rows: list[Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": row.id,
            "properties": row.properties,
            "tags": None if row.tags is None else [f"{kind}:{name}" for kind, name, _ in row.tags],
            "updated_at": iso(row.updated_at),
        }
        for row in rows
    ]
