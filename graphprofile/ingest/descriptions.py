"""Rows that describe users, items, content or tags: checked, cleaned, or refused with a reason."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import polars as pl

from graphprofile.ingest.columns import Errors, clean_texts, identifiers, property_values, times
from graphprofile.ingest.fields import is_missing, tag, tags
from graphprofile.ingest.mapping import OPTIONAL, REQUIRED
from graphprofile.ingest.times import TimeUnit, parse_time, zone
from graphprofile.ingest.verdicts import (
    Verdicts,
    add_loader_reasons,
    as_it_was,
    coalesced,
    column_of,
    each,
    mapped,
    property_columns,
    rejections,
)
from graphprofile.records import Description, DescriptionChunk, RawChunk


def check_descriptions(
    raw: RawChunk,
    *,
    time_zone: str = "UTC",
    time_unit: TimeUnit | None = None,
    original: pl.DataFrame | None = None,
) -> DescriptionChunk:
    """Check what rows say of users, items, content or tags.

    Args:
        raw: Rows after the loader's ``transform`` and the mapping.
        time_zone: Zone of ``updated_at`` that names none.
        time_unit: Unit of ``updated_at`` that is a number; None tells it by its size.
        original: The rows as the source gave them, for the quarantine; ``raw.frame`` by default.

    Raises:
        UsageError: Unknown time zone.
    """
    frame, height, kind = raw.frame, raw.frame.height, raw.kind
    original = frame if original is None else original
    bad = Verdicts()
    add_loader_reasons(frame, bad)
    key = REQUIRED[kind][0]
    named = column_of(frame, key)
    ids, errors = mapped(named, _tag_id) if kind == "tags" else identifiers(named)
    bad.add(key, errors)
    updated: list[int | None] = [None] * height
    if "updated_at" in frame.columns:
        updated, errors = _updated(frame["updated_at"], zone(time_zone), time_unit)
        bad.add("updated_at", errors)
    tag_column = "part_of" if kind == "tags" else "tags"
    tag_lists: list[Any] = [None] * height
    if tag_column in OPTIONAL[kind] and tag_column in frame.columns:
        tag_lists, errors = each(frame[tag_column], tags)
        bad.add(tag_column, errors)
    columns: dict[str, list[Any]] = {}
    for name, source in property_columns(frame, kind, bad):
        found, errors = property_values(frame[source])
        bad.add(source, errors)
        columns[name] = coalesced(columns.get(name), found, source, bad)
    originals = original.rows(named=True)
    rows = []
    ordered = sorted(columns.items())
    for row, (node, line) in enumerate(zip(ids.to_list(), raw.lines, strict=True)):
        if row in bad.reasons:
            continue
        rows.append(
            Description(
                id=node,
                properties={name: values[row] for name, values in ordered if values[row] is not None},
                tags=tag_lists[row],
                updated_at=updated[row],
                line=line,
                row=as_it_was(originals[row], raw.fixed_columns),
            )
        )
    return DescriptionChunk(
        kind=kind,
        rows=rows,
        rejected=[*raw.rejected, *rejections(raw, bad, original)],
        read=height + len(raw.rejected),
        source=raw.source,
        position=raw.position,
        size=raw.size,
    )


def _tag_id(value: Any) -> str:
    found = tag(value)
    if found is None:
        raise ValueError("is missing: every row needs one")
    return f"{found[0]}:{found[1]}"


def _updated(column: pl.Series, zone: tzinfo, unit: TimeUnit | None) -> tuple[list[int | None], Errors]:
    def rule(value: Any) -> int | None:
        return None if is_missing(value) else parse_time(value, zone, unit)[0]

    if column.dtype != pl.String:
        return each(column, rule)
    ms, _, errors = times(column, zone, unit)
    texts = clean_texts(column).to_list()
    return ms.to_list(), {row: reason for row, reason in errors.items() if texts[row]}
