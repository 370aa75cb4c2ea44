"""Rows that describe users, items, content or tags: checked, cleaned, or refused with a reason."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt
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

Rows = npt.NDArray[Any]

_ROW, _TIME, _ALONE = "\0row", "\0time", "\0alone"
"""Columns beside a source's own: no source's column has a NUL in its name."""


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
    whole, kind = raw.frame, raw.kind
    times_of, wrong_times = _updated(whole, zone(time_zone), time_unit)
    # What orders say of a product they say on every line: each thing is checked once, at its latest.
    alone = np.zeros(whole.height, dtype=bool)
    alone[list(wrong_times)] = True
    latest = _latest_of_equals(whole, times_of, alone if kind != "tags" else ~np.zeros_like(alone))
    rows, group = np.unique(latest, return_inverse=True)
    frame = whole if len(rows) == whole.height else whole[rows]
    bad = Verdicts()
    add_loader_reasons(frame, bad)
    key = REQUIRED[kind][0]
    named = column_of(frame, key)
    ids, errors = mapped(named, _tag_id) if kind == "tags" else identifiers(named)
    bad.add(key, errors)
    bad.add("updated_at", {int(np.searchsorted(rows, row)): why for row, why in wrong_times.items()})
    tag_column = "part_of" if kind == "tags" else "tags"
    tag_lists: list[Any] = [None] * frame.height
    if tag_column in OPTIONAL[kind] and tag_column in frame.columns:
        tag_lists, errors = each(frame[tag_column], tags)
        bad.add(tag_column, errors)
    columns: dict[str, list[Any]] = {}
    for name, source in property_columns(frame, kind, bad):
        found, errors = property_values(frame[source])
        bad.add(source, errors)
        columns[name] = coalesced(columns.get(name), found, source, bad)
    original = whole if original is None else original
    refused = _of_all_equals(bad, group)
    good = [row for row in range(frame.height) if row not in bad.reasons]
    at = rows[good]
    ordered = sorted(columns.items())
    described = [
        Description(
            id=ids[row],
            properties={name: values[row] for name, values in ordered if values[row] is not None},
            tags=tag_lists[row],
            updated_at=updated_at,
            line=raw.lines[position],
            row=as_it_was(values_of_row, raw.fixed_columns),
        )
        for row, position, updated_at, values_of_row in zip(
            good, at.tolist(), times_of[at].to_list(), original[at].rows(named=True), strict=True
        )
    ]
    return DescriptionChunk(
        kind=kind,
        rows=described,
        rejected=[*raw.rejected, *rejections(raw, refused, original)],
        read=whole.height + len(raw.rejected),
        source=raw.source,
        position=raw.position,
        size=raw.size,
        repeats=whole.height - len(refused.reasons) - len(described),
    )


def _latest_of_equals(frame: pl.DataFrame, updated: pl.Series, alone: Rows) -> Rows:
    """For each row the one that stands for it: of rows equal in all but ``updated_at`` the latest.

    What the others say is what it says, and earlier: it makes no difference to the graph. Of equally late ones it is
    the first. A row that is ``alone`` stands for itself.
    """
    itself = np.arange(frame.height)
    said = frame.drop("updated_at", strict=False)
    if alone.all() or not said.width or any(dtype.is_object() for dtype in said.dtypes):
        return itself
    marked = said.with_columns(
        pl.Series(_ROW, itself), updated.alias(_TIME), pl.Series(_ALONE, np.where(alone, itself, -1))
    )
    by = [*said.columns, _ALONE]
    last = pl.col(_ROW).sort_by(_TIME, -pl.col(_ROW), nulls_last=False).last()
    latest: Rows = marked.select(_ROW, last.over(by).alias("latest")).sort(_ROW)["latest"].to_numpy()
    return latest


def _of_all_equals(bad: Verdicts, group: Rows) -> Verdicts:
    """The verdicts on the rows that stand for others, as verdicts on all of them."""
    if not bad.reasons:
        return bad
    refused = np.flatnonzero(np.isin(group, list(bad.reasons)))
    return Verdicts({row: bad.reasons[group[row]] for row in refused.tolist()})


def _tag_id(value: Any) -> str:
    found = tag(value)
    if found is None:
        raise ValueError("is missing: every row needs one")
    return f"{found[0]}:{found[1]}"


def _updated(frame: pl.DataFrame, zone: tzinfo, unit: TimeUnit | None) -> tuple[pl.Series, Errors]:
    """When each row was said, epoch ms or null."""

    def rule(value: Any) -> int | None:
        return None if is_missing(value) else parse_time(value, zone, unit)[0]

    column = column_of(frame, "updated_at")
    if column.dtype != pl.String:
        values, errors = each(column, rule)
        return pl.Series(values, dtype=pl.Int64), errors
    ms, _, errors = times(column, zone, unit)
    if errors:
        texts = clean_texts(column).to_list()
        errors = {row: reason for row, reason in errors.items() if texts[row]}
    return ms, errors
